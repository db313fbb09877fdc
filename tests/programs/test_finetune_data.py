"""Which pictures train, choose and are tested; no patient does two of these."""

import numpy as np
import pytest

from ecgmae_jax.data.pretraining_overlap import FILE, dataset_identities, identities_npy
from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.data.subsets import patients_of, subset
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import finetune_data

PICTURE = {"layout": "3x4+1", "height": 64, "width": 96, "channels": 1}
SPECIFICATION = {"picture": PICTURE, "image_size": (64, 96), "channels": 1}
DATA = {"name": "toy", "config": "sheet", "data_dir": "/data", "draw": "stored"}
PATIENTS = {"train": range(40), "validation": range(40, 50), "test": range(50, 60), "late": [39]}


class Groups(ExampleSource):
    def __init__(self, groups):
        self.groups = groups

    def __len__(self):
        return len(self.groups)

    def __getitem__(self, index):
        group = self.groups[index]
        names = {"source": "toy", "record_id": f"r{group}", "patient_id": f"p{group}"}
        return names | {"group": group}

    def only(self, *names):
        return self


@pytest.fixture(autouse=True)
def datasets(monkeypatch):
    def open_dataset(*, name, config, data_dir, split):
        groups = [f"{patient:04x}" for one in split.split("+") for patient in PATIENTS[one]]
        picture = PICTURE | ({"height": 128} if split == "late" else {})
        return Dataset(name, config, split, "1", Groups(groups), {}, picture, "0" * 16)

    monkeypatch.setattr(finetune_data, "open_dataset", open_dataset)


def open_parts(**splits):
    given = {"train": "train", "validation": "validation", "test": ("test",)}
    return finetune_data.open_parts(DATA, given | splits, SPECIFICATION, seed=0)


def test_splits_are_taken_by_name():
    parts = open_parts(test=("test",))
    assert (len(parts.train), len(parts.validation), len(parts.tests[0])) == (40, 10, 10)
    assert parts.tests[0].split == "test"


def test_a_share_of_the_training_patients_may_validate():
    parts = open_parts(validation="0.25", test=("test", "validation"))
    assert len(parts.train) + len(parts.validation) == 40
    assert 3 <= len(parts.validation) <= 18
    assert parts.validation.split == "validation"
    assert not set(patients_of(parts.train)) & set(patients_of(parts.validation))
    assert [test.split for test in parts.tests] == ["test", "validation"]


def test_a_patient_in_two_parts_stops_the_run():
    with pytest.raises(InputError, match=r"10 patients are in both 'validation' and 'test'"):
        open_parts(test=("validation",))


def test_pictures_of_another_kind_stop_the_run():
    with pytest.raises(InputError, match=r"height 128 \(the model knows 64\)"):
        open_parts(test=("late",))


def test_cross_validation_pools_each_split_once():
    splits = {"train": "train", "validation": "validation", "test": ("test", "validation")}
    names = finetune_data.every_split(splits)
    assert names == "train+validation+test"
    pooled = finetune_data.open_split(DATA, names, SPECIFICATION)
    np.testing.assert_array_equal(np.sort(patients_of(pooled)), [f"{p:04x}" for p in range(60)])
    assert finetune_data.every_split(splits | {"validation": "0.1"}) == "train+test+validation"


def test_patients_of_the_pretraining_stop_the_run_or_are_stated(tmp_path, capsys):
    tests = open_parts(test=("test",)).tests
    assert finetune_data.check_pretraining(tests, str(tmp_path), allowed=False) == ""
    seen = finetune_data.open_split(DATA, "test", SPECIFICATION)
    rows = np.arange(3)
    numbers = dataset_identities(subset(seen, rows, split="pretrained on"))
    (tmp_path / FILE).write_bytes(identities_npy(numbers))
    with pytest.raises(InputError, match=r"3 of 10 test recordings, .* --config.allow_overlap=Tr"):
        finetune_data.check_pretraining(tests, str(tmp_path), allowed=False)
    note = finetune_data.check_pretraining(tests, str(tmp_path), allowed=True)
    assert note.startswith("LEAKAGE ALLOWED BY THE USER: 3 of 10 test recordings")
    assert note in capsys.readouterr().err
