import numpy as np
import pytest

from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.source import Dataset, ExampleSource, open_dataset
from ecgmae_jax.data.subsets import deal_folds
from ecgmae_jax.data.targets import NumberTarget, target_of
from ecgmae_jax.errors import InputError


@pytest.fixture(scope="module")
def dataset(toy_data_dir):
    return open_dataset(name="toy_ecg", config="sheet", data_dir=toy_data_dir, split="train")


class WithTargets(ExampleSource):
    """An ejection fraction and a survival of four records."""

    def __init__(self):
        self.values = [55.5, float("nan"), 40.0, 61.0]

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        survival = {"time": 1.0, "event": 0.0}
        return {"targets": {"lvef": {"value": self.values[index]}, "survival": survival}}

    def only(self, *names):
        return self


@pytest.fixture
def cohort():
    return Dataset("toy", "sheet", "train", "1", WithTargets(), {}, {}, "0" * 16)


def test_classes_come_first_then_values_then_the_age(dataset, cohort):
    assert target_of(dataset, "rhythm") is dataset.label_sets["rhythm"]
    assert target_of(dataset, "age_years") == NumberTarget("age_years", "age_years")
    lvef = target_of(cohort, "lvef")
    assert [lvef.read(cohort.source[i])[0] for i in (0, 2)] == [55.5, 40.0]
    assert np.isnan(lvef.read(cohort.source[1])[0])
    for name, of in (("sex", dataset), ("survival", cohort)):
        with pytest.raises(InputError, match=f"no label '{name}'; it has"):
            target_of(of, name)


def test_a_loader_gives_the_values(dataset):
    batch = next(make_train_loader(dataset, batch_size=23, seed=0, label="age_years"))
    assert (batch["label"].shape, batch["label"].dtype) == ((23, 1), np.float32)
    expected = [dataset.source[int(row)]["age_years"] for row in batch["record_index"]]
    np.testing.assert_array_equal(batch["label"][:, 0], np.array(expected, np.float32))


def test_folds_spread_the_quarters_of_a_value(dataset):
    folds = deal_folds(dataset, task="age_years", num_folds=3, seed=0)
    source = dataset.source.only("group", "age_years")
    ages = {}
    for fold, i in zip(folds, range(len(source)), strict=True):
        ages.setdefault(fold, {}).setdefault(source[i]["group"], []).append(source[i]["age_years"])
    means = {fold: [np.nanmean(some) for some in own.values()] for fold, own in ages.items()}
    cuts = np.quantile(np.concatenate(list(means.values())), [0.25, 0.5, 0.75])
    for own in means.values():
        assert (
            np.bincount(np.searchsorted(cuts, own, side="right"), minlength=4).tolist() == [1] * 4
        )
