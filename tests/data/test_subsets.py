import pickle

import numpy as np
import pytest

from ecgmae_jax.data.loaders import make_eval_loader, make_train_loader
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.data.subsets import deal_folds, hold_out, patients_of, subset
from ecgmae_jax.errors import InputError


@pytest.fixture(scope="module")
def dataset(toy_data_dir):
    return open_dataset(name="toy_ecg", config="sheet", data_dir=toy_data_dir, split="train")


def record_ids(dataset):
    source = dataset.source.only("record_id")
    return [source[i]["record_id"] for i in range(len(source))]


def test_a_subset_holds_the_chosen_examples_in_their_order(dataset):
    rows = np.array([7, 2, 11])
    part = subset(dataset, rows, split="some")
    assert (part.split, len(part)) == ("some", 3)
    every = record_ids(dataset)
    assert record_ids(part) == [every[row] for row in rows]
    np.testing.assert_array_equal(part.source[1]["image"], dataset.source[2]["image"])
    with pytest.raises(IndexError):
        part.source[3]
    nested = subset(part, np.array([2, 0]), split="fewer")
    assert record_ids(nested) == [every[11], every[7]]


def test_loaders_read_a_subset_and_nothing_else(dataset):
    part = subset(dataset, np.array([1, 4, 9, 16]), split="squares")
    wanted = sorted(int(part.source[i]["image"].sum()) for i in range(4))
    (batch,) = make_eval_loader(part, batch_size=4)
    assert sorted(int(image.sum()) for image in batch["image"]) == wanted
    batches = make_train_loader(part, batch_size=4, seed=0, label="findings")
    rows = {tuple(image.argmin(0)[:, 0]) for _ in range(3) for image in next(batches)["image"]}
    assert len(rows) == 4
    assert record_ids(pickle.loads(pickle.dumps(part))) == record_ids(part)


def test_a_share_of_patients_is_held_out_whole(dataset):
    kept, held = hold_out(dataset, share=0.3, seed=4, split="validation")
    assert (kept.split, held.split) == ("train", "validation")
    assert sorted(record_ids(kept) + record_ids(held)) == sorted(record_ids(dataset))
    assert not set(patients_of(kept)) & set(patients_of(held))
    again = hold_out(dataset, share=0.3, seed=4, split="validation")[1]
    assert record_ids(again) == record_ids(held)
    with pytest.raises(InputError, match="to hold out is 1; give more than 0 and less than 1"):
        hold_out(dataset, share=1.0, seed=0, split="validation")
    with pytest.raises(InputError, match="leaves 23 examples and 0 held out"):
        hold_out(dataset, share=1e-9, seed=0, split="validation")


def test_folds_keep_patients_whole_and_spread_their_rarest_classes(dataset):
    folds = deal_folds(dataset, task="findings", num_folds=3, seed=0)
    patients = patients_of(dataset)
    for patient in set(patients):
        assert len(set(folds[patients == patient])) == 1
    sizes = [len(set(patients[folds == f"fold{n}"])) for n in (1, 2, 3)]
    assert sizes == [4, 4, 4]
    # Class 3 is the rarest: of records 8 to 15, four patients, who are dealt before others.
    truth = np.array([8 <= int(one[-3:]) <= 15 for one in record_ids(dataset)])
    counts = [len(set(patients[truth & (folds == f"fold{n}")])) for n in (1, 2, 3)]
    assert sorted(counts) == [1, 1, 2]
    again = deal_folds(dataset, task="findings", num_folds=3, seed=0)
    np.testing.assert_array_equal(folds, again)
    assert (folds != deal_folds(dataset, task="findings", num_folds=3, seed=1)).any()


def test_patients_of_unknown_label_are_dealt_too(dataset):
    folds = deal_folds(dataset, task="superclass", num_folds=4, seed=0)
    assert sorted(set(folds)) == ["fold1", "fold2", "fold3", "fold4"]
    with pytest.raises(InputError, match="12 patients leave 'fold13'"):
        deal_folds(dataset, task="superclass", num_folds=13, seed=0)
