import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import describe_part, part_rows

SPLITS = {"train": ("train",), "test": ("test",)}


@pytest.fixture
def records(make_embeddings):
    return aggregate_records(make_embeddings(num_patients=9), rule="mean")


def test_parts_are_the_rows_of_their_splits(records):
    parts = part_rows(records.frame, SPLITS)
    assert (parts["train"] ^ parts["test"]).all()
    assert parts["test"].sum() == 6


def test_a_patient_in_both_parts_is_named(records):
    records.frame.loc[4, "split"] = "train"
    group = records.frame.loc[4, "group"]
    with pytest.raises(InputError, match=f"1 patients are in both train and test .*{group}"):
        part_rows(records.frame, SPLITS)


def test_a_split_used_twice_is_a_leak(records):
    with pytest.raises(InputError, match=r"3 patients are in both train and test"):
        part_rows(records.frame, {"train": ("train", "test"), "test": ("test",)})


def test_an_absent_split_is_answered_with_those_there_are(records):
    with pytest.raises(InputError, match=r"config\.splits\.test is \('fold9',\).*'test', 'train'"):
        part_rows(records.frame, {"train": ("train",), "test": ("fold9",)})


def test_counts_of_a_part(records):
    rows = part_rows(records.frame, SPLITS)["test"]
    found = describe_part(records.frame, records.labels["rhythm"], rows)
    assert (found["patients"], found["records"], found["pictures"]) == (3, 6, 12)
    assert found["age_quartiles"] == [43.5, 45.0, 46.5]  # patients 2, 5, 8
    assert (found["female"], found["sex_known"]) == (1, 3)
    assert sum(found["positives"].values()) == 6
    assert found["splits"] == ["test"]
    records.frame["age_years"] = np.nan
    assert describe_part(records.frame, records.labels["rhythm"], rows)["age_quartiles"] is None
