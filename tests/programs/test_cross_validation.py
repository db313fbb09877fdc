"""Who trains, chooses and is tested in which round, and what a rerun does again."""

import dataclasses

import numpy as np
import pytest

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.split_files import SplitFile, splits_json
from ecgmae_jax.data.subsets import patients_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.classifier_results import record_rows
from ecgmae_jax.programs.cross_validation import Rounds, make_rounds, predict_in_rounds

NUM_RECORDS = 40


def example(record, segment):
    return {
        "record_id": f"r{record}",
        "patient_id": f"p{record // 2}",
        "source": "toy",
        "segment": segment,
        "start_s": 10.0 * segment,
        "group": f"{record // 2:04x}",
        "age_years": 50.0,
        "sex": "female",
        "diagnoses": (),
        # Of every tenth record nobody knows the outcome.
        "labels": {"outcome": -1 if record % 10 == 9 else record % 3 % 2},
    }


@pytest.fixture
def dataset(in_memory):
    examples = [example(r, s) for r in range(NUM_RECORDS) for s in range(1 + r % 2)]
    label_set = LabelSet("outcome", ("no", "yes"), exclusive=True)
    return Dataset(
        "toy", "sheet", "train+test", "1", in_memory(examples), {"outcome": label_set}, {}, "0" * 16
    )


def numbers_of(dataset):
    source = dataset.source.only("record_id")
    return [int(source[i]["record_id"][1:]) for i in range(len(source))]


@dataclasses.dataclass
class Training:
    """A training that notes what it is given, and predicts from the record's number."""

    stop_in: int = -1
    seen: list = dataclasses.field(default_factory=list)

    def __call__(self, train, validation, test, workdir):
        if int(workdir.name) == self.stop_in:
            return None
        self.seen.append((train, validation, test))
        yes = np.array(numbers_of(test), np.float32) / NUM_RECORDS
        return np.stack([1 - yes, yes], axis=1), {"steps": 3}


def predict(dataset, rounds, workdir, *, splits_file="", num_folds=4, seed=0, epochs=1, **more):
    made = make_rounds(
        dataset, splits_file=splits_file, task="outcome", num_folds=num_folds, seed=seed
    )
    settings = {"epochs": epochs, "compute": more}
    return predict_in_rounds(
        dataset, made, rounds, task="outcome", workdir=workdir, settings=settings
    )


def test_each_record_is_predicted_once_by_rounds_that_never_saw_its_patient(dataset, tmp_path):
    rounds = Training()
    pictures, facts = predict(dataset, rounds, tmp_path)
    assert [one["steps"] for one in facts] == [3] * 4
    assert facts[3]["parts"] == {
        "train": ("fold2", "fold3"),
        "validation": ("fold1",),
        "test": ("fold4",),
    }
    tested = []
    for train, validation, test in rounds.seen:
        groups = [set(patients_of(part)) for part in (train, validation, test)]
        assert not groups[0] & groups[1]
        assert not groups[2] & (groups[0] | groups[1])
        assert len(train) + len(validation) + len(test) == len(dataset)
        tested += numbers_of(test)
    assert sorted(tested) == sorted(numbers_of(dataset))
    table = record_rows(pictures, part="test", task="outcome", aggregation="mean")
    assert len(table) == NUM_RECORDS
    assert table["record_id"].is_unique
    numbers = table["record_id"].str[1:].astype(int).to_numpy()
    np.testing.assert_allclose(table["fine-tuned.outcome.yes"] * NUM_RECORDS, numbers, rtol=1e-6)
    # Also those whose truth is unknown.
    assert table["truth.outcome.yes"].isna().sum() == 4
    for number, (_, _, test) in enumerate(rounds.seen, start=1):
        assert set(numbers[table["fold"] == f"fold{number}"]) == set(numbers_of(test))


def test_finished_rounds_are_not_trained_again(dataset, tmp_path):
    interrupted = Training(stop_in=3)
    assert predict(dataset, interrupted, tmp_path) is None
    assert len(interrupted.seen) == 2
    rest, whole = Training(), Training()
    # How a run is computed may change in between.
    pictures, facts = predict(dataset, rest, tmp_path, unroll=True)
    assert len(rest.seen) == 2
    expected, expected_facts = predict(dataset, whole, tmp_path / "other")
    np.testing.assert_array_equal(pictures.matrix, expected.matrix)
    assert pictures.frame.equals(expected.frame)
    assert facts == expected_facts


@pytest.mark.parametrize("changes", [{"epochs": 2}, {"seed": 1}, {"num_folds": 3}])
def test_rounds_of_other_settings_are_not_mixed_in(dataset, tmp_path, changes):
    predict(dataset, Training(stop_in=2), tmp_path)
    with pytest.raises(InputError, match=r"predicted.npz was made with other settings, folds or"):
        predict(dataset, Training(), tmp_path, **changes)


def test_a_splits_file_says_who_is_tested_in_which_round(dataset, tmp_path):
    patients = sorted(set(patients_of(dataset).tolist()))
    parts = {"here": tuple(patients[:12]), "there": tuple(patients[12:19]), "kept": (patients[19],)}
    rounds = (
        {"train": ("here",), "validation": ("kept",), "test": ("there",)},
        {"train": ("there",), "validation": ("kept",), "test": ("here",)},
    )
    splits = SplitFile("toy", "mark", {"name": "site"}, parts, (), rounds)
    path = tmp_path / "splits.json"
    path.write_bytes(splits_json(splits))
    training = Training()
    pictures, _ = predict(dataset, training, tmp_path, splits_file=str(path))
    tested = [set(patients_of(test)) for _, _, test in training.seen]
    assert tested == [set(parts["there"]), set(parts["here"])]
    table = record_rows(pictures, part="test", task="outcome", aggregation="max")
    assert dict(table.groupby("group")["fold"].first()) == (
        dict.fromkeys(parts["here"], "here") | dict.fromkeys(parts["there"], "there")
    )


@pytest.mark.parametrize(
    ("tested", "words"),
    [
        (("there", "here"), "pictures are tested in more than one round"),
        (("nobody",), r"round 1 has no pictures for test \(parts \['nobody'\]\)"),
    ],
)
def test_rounds_that_test_nobody_or_somebody_twice_are_refused(dataset, tmp_path, tested, words):
    names = np.array(["here", "there", "kept"])
    parts = names[[int(group, 16) % 3 for group in patients_of(dataset)]]
    rounds = (
        {"train": ("here",), "validation": ("kept",), "test": tested},
        {"train": ("kept",), "validation": ("there",), "test": ("here",)},
    )
    with pytest.raises(InputError, match=words):
        predict_in_rounds(
            dataset,
            Rounds(parts, rounds),
            Training(),
            task="outcome",
            workdir=tmp_path,
            settings={},
        )


def test_two_folds_are_too_few(dataset, tmp_path):
    with pytest.raises(InputError, match=r"config.folds is 2; choose 0 for the splits"):
        predict(dataset, Training(), tmp_path, num_folds=2)
