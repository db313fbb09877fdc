"""An encoder that others trained, taken as it is, read by another program and trained on."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from ecgmae_jax.interop.hf_vit_mae import encoder_params
from ecgmae_jax.interop.other_pictures import Standardisation, restandardised
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.training.checkpoints import load_params
from ecgmae_jax.training.trees import fingerprint

SIZE = ("model.width=24", "model.depth=2", "model.heads=3", "model.patch=(8, 8)")


@pytest.fixture(scope="module")
def published(repository, tmp_path_factory):
    """A file as its publisher has it, and the encoder in it as grey sheets need it."""
    with np.load(repository / "tests/golden/vit_mae_square.npz") as arrays:
        prefix = "weights/"
        state = {n[len(prefix) :]: arrays[n] for n in arrays if n.startswith(prefix)}
    path = tmp_path_factory.mktemp("published") / "model.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in state.items()}, path)
    config = ViTConfig((64, 96), (8, 8), channels=1, width=24, depth=2, heads=3)
    photographs = Standardisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    encoder = encoder_params(state, channels=3, config=config)
    sheets = Standardisation((0.87,), (0.10,))
    return path, restandardised(encoder, before=photographs, after=sheets)


def test_an_encoder_goes_from_a_file_through_two_trainings_and_an_embedding(
    main, published, tmp_path
):
    path, encoder = published
    taken, trained = tmp_path / "taken", tmp_path / "trained"
    none = main.pretrain(taken, *SIZE, f"start.weights={path}", "epochs=0.0")
    assert "0 steps of 16" in main.succeed(none)
    found = load_params(taken / "checkpoints")
    assert fingerprint(found.params["encoder"]) == fingerprint(encoder)
    main.succeed(main.pretrain(trained, *SIZE, f"start.weights={taken}", "epochs=0.6"))
    moved = load_params(trained / "checkpoints").params["encoder"]
    change = moved["patch_projection"]["kernel"] - encoder["patch_projection"]["kernel"]
    assert 0 < np.abs(change).max() < 0.05
    few = (f"checkpoint={taken}", "baselines=()", "pooling=mean")
    main.succeed(main.command("embed.py:demo", tmp_path / "embed", *main.data(), *few))
    schema = pq.read_schema(tmp_path / "embed" / "embeddings.parquet")
    overlap = json.loads(schema.metadata[b"ecgmae"])["pretraining_overlap"]
    assert overlap["train"]["total"] > 0
    assert {split["records"] for split in overlap.values()} == {0}, "nobody was trained on"


def test_weights_of_another_size_are_one_line_and_leave_nothing(main, published, tmp_path):
    settings = (*SIZE, f"start.weights={published[0]}", "model.width=48")
    done = main.run(main.pretrain(tmp_path / "run", *settings))
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert "has shape (24, 3, 8, 8) and the configured model needs (48, 3, 8, 8)" in line
    assert not (tmp_path / "run").exists()
