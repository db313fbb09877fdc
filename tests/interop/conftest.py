import numpy as np
import pytest


@pytest.fixture(scope="session")
def golden(repository):
    """Weights, inputs and results of a small ViTMAE, made by Hugging Face's own code."""
    with np.load(repository / "tests/golden/vit_mae_square.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def weights(golden):
    prefix = "weights/"
    return {name[len(prefix) :]: a for name, a in golden.items() if name.startswith(prefix)}
