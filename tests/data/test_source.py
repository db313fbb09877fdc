import json
import math
import shutil
import subprocess
import sys

import numpy as np
import pytest

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.seals import seal


@pytest.fixture
def toy(toy_data_dir):
    def _open(split="train", *, data_dir=toy_data_dir, name="toy_ecg", config="sheet"):
        return open_dataset(name=name, config=config, data_dir=data_dir, split=split)

    return _open


@pytest.fixture
def damaged(toy_data_dir, tmp_path):
    """A copy to break, and the path of its train shard."""
    shutil.copytree(toy_data_dir / "toy_ecg", tmp_path / "toy_ecg")
    (shard,) = tmp_path.glob("toy_ecg/sheet/1.2.0/*-train.*")
    return tmp_path, shard


def test_examples_come_back_as_they_were_stored(toy):
    dataset = toy()
    assert (dataset.version, len(dataset)) == ("1.2.0", 23)
    assert dataset.picture["px_per_mm"] == 1.5
    seen = set()
    for i in range(len(dataset)):
        example = dataset.source[i]
        k = int(example["record_id"].removeprefix("train-"))
        seen.add(k)
        assert example["image"].shape == (24, 40, 1)
        assert np.flatnonzero((example["image"] == 0).all((1, 2))).tolist() == [k]
        assert example["diagnoses"] == ("426783006",) * (k % 3)
        assert example["patient_id"] == f"p{k // 2}"
        assert example["labels"]["rhythm"] == (-1, 0, 1)[k % 3]
        assert example["labels"]["findings"] == tuple(j for j in range(4) if (k >> j) & 1)
        assert math.isnan(example["age_years"]) if k == 0 else example["age_years"] == 40 + k
    assert seen == set(range(23))


def test_label_sets_come_from_features_and_metadata(toy):
    sets = toy().label_sets
    assert set(sets) == {"superclass", "findings", "rhythm"}
    assert sets["superclass"].classes == ("NORM", "MI", "CD")
    assert sets["superclass"].empty_is_missing
    assert not sets["findings"].empty_is_missing
    assert sets["rhythm"].exclusive
    with pytest.raises(InputError, match="no label 'sex'; it has findings, rhythm, superclass"):
        toy().label_set("sex")


def test_parts_of_splits_and_joined_splits(toy):
    joined = toy("train[:50%]+validation")
    whole, validation = toy(), toy("validation")
    expected = [whole.source[i]["record_id"] for i in range(12)]
    expected += [validation.source[i]["record_id"] for i in range(6)]
    assert [joined.source[i]["record_id"] for i in range(len(joined))] == expected


def test_only_decodes_the_named_features(toy):
    source = toy().source.only("labels", "group")
    assert set(source[3]) == {"labels", "group"}
    assert source[3]["labels"] == toy().source[3]["labels"]
    with pytest.raises(InputError, match="has no feature signal; it has age_years, diagnoses"):
        toy().source.only("signal")


def test_an_index_past_the_end_is_an_index_error(toy):
    with pytest.raises(IndexError, match="example 23 of 23"):
        toy().source[23]


def test_reading_does_not_import_tensorflow(toy_data_dir, repository):
    code = (
        "import sys; from ecgmae_jax.data.source import open_dataset; "
        "from ecgmae_jax.data.loaders import make_eval_loader; "
        f"dataset = open_dataset(name='toy_ecg', config='sheet', data_dir={str(toy_data_dir)!r}, "
        "split='train'); next(make_eval_loader(dataset, batch_size=2, label='rhythm')); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository, timeout=120)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "ptb_xl"}, "ptb_xl/sheet is not in data_dir .*: it has toy_ecg/sheet; "),
        ({"config": "signal"}, r"run `tfds build data_builders/toy_ecg --config=signal --data_dir"),
        ({"data_dir": "/absent"}, "data_dir /absent is not a folder"),
        ({"split": "fold9"}, r"has no split 'fold9'.* It has train \(23\), validation \(6\)"),
        ({"split": "train[:99]"}, r"Requested slice \[:99\] incompatible with 23 examples"),
        ({"split": "train[:0]"}, "holds no examples; there are"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(toy, changed, message):
    with pytest.raises(InputError, match=message) as error:
        toy(**changed)
    assert "\n" not in str(error.value)


def test_an_unfinished_build_is_not_used(damaged):
    data_dir, shard = damaged
    shard.parent.rename(shard.parent.with_name("incomplete.ABC_1.2.0"))
    with pytest.raises(InputError, match="no finished dataset and an unfinished build of toy_ecg"):
        open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")


def test_the_newest_version_is_read(damaged):
    data_dir, shard = damaged
    newer = shard.parent.with_name("1.10.0")
    shutil.copytree(shard.parent, newer)
    info = json.loads((newer / "dataset_info.json").read_text()) | {"version": "1.10.0"}
    (newer / "dataset_info.json").write_text(json.dumps(info))
    dataset = open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")
    assert dataset.version == "1.10.0"


def test_another_file_format_is_refused(damaged):
    data_dir, shard = damaged
    info_file = shard.parent / "dataset_info.json"
    info = json.loads(info_file.read_text()) | {"fileFormat": "tfrecord"}
    info_file.write_text(json.dumps(info))
    with pytest.raises(InputError, match="TFRECORD, ARRAY_RECORD is needed: build it again"):
        open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")


def test_a_missing_shard_is_named(damaged):
    data_dir, shard = damaged
    shard.unlink()
    with pytest.raises(InputError, match=f"shard .*{shard.name} is missing"):
        open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")


def test_a_shard_of_another_length_is_named(damaged):
    data_dir, shard = damaged
    shutil.copy(next(shard.parent.glob("*-validation.*")), shard)
    with pytest.raises(InputError, match=f"{shard.name} has 6 records, .* states 23"):
        open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")


def test_a_truncated_shard_is_named(damaged):
    data_dir, shard = damaged
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with pytest.raises(InputError, match=f"shard .*{shard.name} is damaged"):
        open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")


def test_a_record_with_flipped_bytes_is_named(damaged):
    data_dir, shard = damaged
    content = bytearray(shard.read_bytes())
    # In the middle of the records, which lie at the front of the file.
    for i in range(2000, 2003):
        content[i] ^= 0xFF
    shard.write_bytes(content)
    dataset = open_dataset(name="toy_ecg", config="sheet", data_dir=data_dir, split="train")
    with pytest.raises(InputError, match=rf"record \d+ of shard .*{shard.name} cannot be decoded"):
        [dataset.source[i] for i in range(len(dataset))]


def test_a_shard_that_took_the_place_of_another_is_named(damaged):
    data_dir, shard = damaged
    seals = {path.name: seal(path) for path in shard.parent.glob("*-of-*")}
    (shard.parent / "shards.json").write_text(json.dumps(seals))
    options = {"name": "toy_ecg", "config": "sheet", "data_dir": data_dir, "split": "train"}
    open_dataset(**options)
    content = bytearray(shard.read_bytes())
    content[2000] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=rf"shard .*{shard.name} is not the one that was built"):
        open_dataset(**options)


def test_fingerprint_follows_the_digest_of_the_examples(toy, damaged):
    data_dir, shard = damaged
    path = shard.parent / "metadata.json"
    marks = set()
    for content in ("0a", "0b"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"content": content}))
        marks.add(toy(data_dir=data_dir).fingerprint)
    assert len(marks | {toy().fingerprint}) == 3


def test_fingerprint_follows_the_content_and_not_the_place(toy, damaged):
    data_dir, shard = damaged
    assert toy(data_dir=data_dir).fingerprint == toy("validation").fingerprint
    info_file = shard.parent / "dataset_info.json"
    info = json.loads(info_file.read_text())
    info["splits"][0]["numBytes"] = "7000"
    info_file.write_text(json.dumps(info))
    assert toy(data_dir=data_dir).fingerprint != toy().fingerprint
