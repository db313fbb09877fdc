import json

import pytest

from ecgmae_jax.data.split_files import (
    SplitFile,
    fold_rounds,
    read_splits,
    simple_round,
    splits_json,
)
from ecgmae_jax.errors import InputError

PARTS = {"train": ("b", "a"), "validation": ("c",), "test": ("d",)}


def _splits(**changes):
    given = {
        "source": "clinic",
        "mark": "01234567",
        "method": {"name": "random", "seed": 0},
        "parts": PARTS,
        "left_out": ("e",),
        "rounds": simple_round(),
    }
    return SplitFile(**{**given, **changes})


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "splits.json"
    path.write_bytes(splits_json(_splits()))
    return path


def test_what_is_written_is_read(path):
    splits = read_splits(path)
    assert splits.parts == {"train": ("a", "b"), "validation": ("c",), "test": ("d",)}
    assert (splits.source, splits.mark, splits.left_out) == ("clinic", "01234567", ("e",))
    assert splits.method == {"name": "random", "seed": 0}
    assert splits.rounds == simple_round()
    assert splits.fingerprint == _splits().fingerprint
    assert splits.part_of(["d", "a", "e", "a"]) == ["test", "train", "", "train"]


def test_the_fingerprint_follows_the_patients():
    moved = {"train": ("b",), "validation": ("c", "a"), "test": ("d",)}
    assert _splits(parts=moved).fingerprint != _splits().fingerprint


def test_an_unknown_patient_stops():
    with pytest.raises(InputError, match=r"2 of 3 scans are of patients that the splits file of"):
        _splits().part_of(["a", "x", "y"])


@pytest.mark.parametrize("change", ["parts", "method", "source"])
def test_an_altered_file_is_refused(path, change):
    given = json.loads(path.read_text())
    if change == "parts":
        given["parts"]["train"].append(given["parts"]["test"].pop())
    else:
        given[change] = {"name": "given"} if change == "method" else "other"
    path.write_text(json.dumps(given))
    with pytest.raises(InputError, match=r"splits.json was altered after it was made .* make it"):
        read_splits(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x", "parts": 3}', "\xff"])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "splits.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"is no splits file: make one with configs/make_splits"):
        read_splits(tmp_path / "splits.json")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none.json cannot be read: No such file"):
        read_splits(tmp_path / "none.json")


def test_a_patient_in_two_parts_is_never_written():
    with pytest.raises(InputError, match=r"1 patients are in both 'train' and 'test'"):
        splits_json(_splits(parts={"train": ("a", "b"), "validation": ("c",), "test": ("b",)}))
    with pytest.raises(InputError, match=r"1 patients are in both 'test' and 'left out'"):
        splits_json(_splits(left_out=("d",)))


def test_a_round_uses_a_part_once():
    twice = ({"train": ("train",), "validation": ("train",), "test": ("test",)},)
    with pytest.raises(InputError, match=r"a part trains, validates or tests"):
        splits_json(_splits(rounds=twice))
    with pytest.raises(InputError, match=r"a round is made of the parts \['fold3'"):
        splits_json(_splits(rounds=fold_rounds(["fold1", "fold2", "fold3"])))


def test_every_fold_tests_once_and_never_meets_itself():
    names = [f"fold{i}" for i in range(1, 6)]
    rounds = fold_rounds(names)
    assert [one["test"] for one in rounds] == [(name,) for name in names]
    assert sorted(one["validation"][0] for one in rounds) == names
    for one in rounds:
        assert sorted(name for some in one.values() for name in some) == names
