"""A stricter world than users live in: eight devices, warnings and rank promotion are errors."""

import os
import pathlib

import jax
import pytest
from absl import flags

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")
# Grain reads an absl flag when it starts worker processes.
flags.FLAGS.mark_as_parsed()

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> pathlib.Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> pathlib.Path:
    """Folder of real recordings and scans; the test skips where there is none."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = pathlib.Path(os.environ.get("ECGMAE_REAL_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder} (set ECGMAE_REAL_DATA)")
    return folder
