"""Built datasets whose own description is damaged: one line that names the folder."""

import json

import numpy as np
import pytest

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError

CONTENTS = {
    "empty": b"",
    "cut": b'{"name": "recordi',
    "a list": b"[1, 2]",
    "a number": b"7",
    "binary": bytes(range(256)),
    "nested without end": b"[" * 100_000,
}
FILES = ("dataset_info.json", "features.json", "metadata.json", "shards.json")


@pytest.fixture
def folder(build, entries):
    return build(*entries(1))


def opened(folder):
    data_dir = folder.parents[2]
    return open_dataset(name="recordings", config="signal", data_dir=data_dir, split="train")


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_description_is_refused(folder, file):
    assert len(opened(folder)) == 1
    whole = (folder / file).read_bytes()
    for content in CONTENTS.values():
        (folder / file).write_bytes(content)
        with pytest.raises(InputError) as caught:
            opened(folder)
        assert str(folder) in str(caught.value), content
        assert str(caught.value).isprintable()
    (folder / file).write_bytes(whole)
    assert len(opened(folder)) == 1


def test_features_of_another_dataset_are_refused_where_they_are_read(folder):
    features = json.loads((folder / "features.json").read_text())
    signal = features["featuresDict"]["features"]["signal"]
    signal["tensor"]["shape"]["dimensions"] = ["12", "4000"]
    (folder / "features.json").write_text(json.dumps(features))
    with pytest.raises(InputError, match=r"record 0 of shard .* cannot be decoded"):
        _ = opened(folder).source[0]


def test_a_sound_dataset_gives_its_signals(folder):
    signal = opened(folder).source[0]["signal"]
    assert signal.shape == (12, 5000)
    assert np.ptp(signal[:, :1000].astype(int)) > 100
