import numpy as np
import pytest

pytest.importorskip("tensorflow")

from data_builders.simulated_ecg import population, simulated_ecg_dataset_builder
from data_builders.simulated_ecg.conditions import CONDITION_NAMES

PATIENTS = 6


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny", height=64, width=88, patients_per_condition=PATIENTS, seed=5
    )
    builder = simulated_ecg_dataset_builder.Builder(
        data_dir=tmp_path_factory.mktemp("tfds"), config=config
    )
    builder.download_and_prepare()
    return builder


def test_all_visits_become_pictures_and_none_is_refused(built):
    splits = population.draw_population(patients_per_condition=PATIENTS, seed=5)
    for split, visits in splits.items():
        assert built.info.splits[split].num_examples == len(visits)
    metadata = built.info.metadata
    assert metadata["picture"]["height"] == 64
    assert metadata["tally"]["refused"] == {}
    assert (built.data_path / "rejections.csv").exists()


def test_examples_carry_their_labels_and_patients_stay_in_their_split(built):
    groups = {}
    for split in ("train", "validation", "test"):
        examples = list(built.as_data_source(split))
        groups[split] = {example["group"] for example in examples}
        conditions = [example["labels"]["condition"] for example in examples]
        assert set(conditions) == set(range(len(CONDITION_NAMES)))
        for example in examples:
            assert example["labels"]["condition"] in example["labels"]["findings"]
            assert example["image"].shape == (64, 88, 1)
            assert example["image"].std() > 5.0
            assert 18 <= example["age_years"] <= 92
    assert not groups["train"] & groups["validation"]
    assert not groups["train"] & groups["test"]
    assert not groups["validation"] & groups["test"]


def test_configs_are_those_of_every_dataset_with_seed_and_size():
    configs = simulated_ecg_dataset_builder.Builder.builder_configs
    assert {"sheet", "signal", "sheet_small"} <= set(configs)
    assert configs["sheet_small"].sheet().height == 192
    assert {config.patients_per_condition for config in configs.values()} == {77}
    assert {config.seed for config in configs.values()} == {0}


def test_pictures_of_two_visits_differ(built):
    by_patient = {}
    for example in built.as_data_source("train"):
        by_patient.setdefault(example["patient_id"], []).append(example["image"])
    twice = [images for images in by_patient.values() if len(images) == 2]
    assert len(twice) > 5
    for first, second in twice:
        assert np.abs(first.astype(int) - second).mean() > 1.0
