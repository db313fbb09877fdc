import collections
import pathlib

import numpy as np
import pytest

from data_builders.simulated_ecg import population
from data_builders.simulated_ecg.conditions import CONDITION_NAMES, CONDITIONS
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.wfdb_reader import read_recording


@pytest.fixture(scope="module")
def splits():
    return population.draw_population(patients_per_condition=40, seed=3)


def test_splits_share_no_patient_and_hold_every_condition_alike(splits):
    patients = {split: {visit.patient for visit in visits} for split, visits in splits.items()}
    assert list(patients) == ["train", "validation", "test"]
    everyone = set.union(*patients.values())
    assert sum(map(len, patients.values())) == len(everyone) == 40 * len(CONDITIONS)
    for split, number in (("train", 28), ("validation", 6), ("test", 6)):
        held = collections.Counter(
            dict.fromkeys((visit.patient, visit.condition) for visit in splits[split]).keys()
        )
        by_condition = collections.Counter(condition for _, condition in held)
        assert by_condition == dict.fromkeys(range(len(CONDITIONS)), number)


def test_three_patients_of_ten_come_twice(splits):
    visits = [visit for some in splits.values() for visit in some]
    numbers = collections.Counter(visit.number for visit in visits)
    assert set(numbers) == {0, 1}
    assert numbers[1] / numbers[0] == pytest.approx(0.3, abs=0.06)
    assert len({visit.record_id for visit in visits}) == len(visits)


def test_names_and_order_do_not_tell_the_condition(splits):
    train = splits["train"]
    order = [visit.condition for visit in train]
    names = [visit.patient for visit in train]
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.15
    assert abs(np.corrcoef(order, names)[0, 1]) < 0.15


def test_the_seed_makes_the_population(splits):
    assert population.draw_population(patients_per_condition=40, seed=3) == splits
    assert population.draw_population(patients_per_condition=40, seed=4) != splits


def test_too_few_patients_are_refused():
    assert all(population.draw_population(patients_per_condition=6, seed=0).values())
    for number in (0, 1, 5):
        with pytest.raises(InputError, match=f"patients_per_condition={number} leaves a split"):
            population.draw_population(patients_per_condition=number, seed=0)


def test_the_default_population_is_about_1100_recordings():
    splits = population.draw_population(patients_per_condition=77, seed=0)
    assert 1050 < sum(len(visits) for visits in splits.values()) < 1150


def test_recordings_pass_through_files_unchanged_and_the_files_are_gone_afterwards(splits):
    visits = splits["test"][:12]
    folders = []

    def read(entries):
        folders.extend(entry.root for entry in entries)
        return [
            read_recording(
                entry.header, root=entry.root, source=entry.source, patient_id=entry.patient_id
            )
            for entry in entries
        ]

    recordings = population.examples_by_way_of_files(visits, make_examples=read)
    assert not any(pathlib.Path(folder).exists() for folder in folders)
    for visit, recording in zip(visits, recordings, strict=True):
        made = population.record(visit)
        assert recording.signal_mv.shape == (12, 5000)
        np.testing.assert_allclose(recording.signal_mv, made.signal_mv, atol=0.00051)
        for field in ("leads", "rate_hz", "record_id", "patient_id", "diagnoses", "age_years"):
            assert getattr(recording, field) == getattr(made, field)
        assert recording.sex == made.sex
        labels = population.labels_of(recording)["labels"]
        assert labels["condition"] == CONDITION_NAMES[visit.condition]
        assert labels["findings"][0] == labels["condition"]
        assert set(labels["findings"]) <= set(CONDITION_NAMES)
