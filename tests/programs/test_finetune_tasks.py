"""What a fine-tuning is for: classes as they are labelled, or a value in its own scale."""

import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.models.compute import PLAIN
from ecgmae_jax.models.functional import init_params
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import classifier_results, classifiers, number_judgement, validation
from ecgmae_jax.programs.finetune_tasks import make_task

AGES = [40.0, 60.0, 50.0, 70.0]
PLAIN_SETTINGS = {"weights": "none", "focal_gamma": 0.0, "smoothing": 0.0, "mixing": 0.0}


@pytest.fixture
def dataset(in_memory):
    facts = {"source": "toy", "start_s": 0.0, "sex": "female", "diagnoses": (), "targets": {}}
    examples = [
        facts
        | {"record_id": f"r{i // 2}", "patient_id": f"p{i // 2}", "group": f"{i // 2}"}
        | {"segment": i % 2, "age_years": AGES[i // 2], "labels": {"outcome": i // 2 % 2}}
        for i in range(2 * len(AGES))
    ]
    label_set = LabelSet("outcome", ("no", "yes"), exclusive=True)
    return Dataset(
        "toy", "sheet", "test", "1", in_memory(examples), {"outcome": label_set}, {}, "0" * 16
    )


def test_classes_have_their_losses_and_their_figure(dataset):
    task = make_task(dataset, label="outcome", **PLAIN_SETTINGS | {"smoothing": 0.1})
    assert (task.described["classes"], task.metric) == (["no", "yes"], "validation_auroc")
    losses, _ = task.losses(jnp.zeros((2, 2)), jnp.eye(2))
    np.testing.assert_allclose(losses, np.log(2), rtol=1e-6)
    assert classifiers.scale_of(task.described) is None


def test_a_value_is_learnt_in_deviations_of_the_training_pictures(dataset):
    task = make_task(dataset, label="age_years", **PLAIN_SETTINGS)
    ages = np.repeat(AGES, 2)
    assert task.described["scale"] == pytest.approx([ages.mean(), ages.std()])
    assert (task.described["classes"], task.metric) == (["value"], "validation_r2")
    losses, _ = task.losses(jnp.zeros((8, 1)), jnp.asarray(ages[:, None], jnp.float32))
    np.testing.assert_allclose(losses.mean(), 1, rtol=1e-5)


def test_settings_of_classes_are_refused_for_a_value(dataset):
    settings = {"weights": "balanced", "focal_gamma": 0.0, "smoothing": 0.1, "mixing": 0.0}
    wanted = (
        r"'age_years' is a number.* --config\.label_smoothing=0\.0 --config\.class_weights=none$"
    )
    with pytest.raises(InputError, match=wanted):
        make_task(dataset, label="age_years", **settings)
    with pytest.raises(InputError, match="no label 'lvef'; it has outcome"):
        make_task(dataset, label="lvef", **PLAIN_SETTINGS)


def test_answers_are_in_the_unit_of_the_outcome():
    encoder = ViTConfig((8, 8), (8, 8), channels=1, width=4, depth=1, heads=1)
    config = ClassifierConfig(encoder, num_classes=1)
    params = init_params(classifiers.classifier_maker(config, PLAIN), jnp.array([0, 1], jnp.uint32))
    images = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 1)).astype(np.uint8)
    asked = {"exclusive": False, "compute": PLAIN}
    specification = {"mean": (0.5,), "std": (0.2,)}
    plain = classifiers.make_answers(config, specification, scale=(0.0, 1.0), **asked)
    scaled = classifiers.make_answers(config, specification, scale=(50.0, 10.0), **asked)
    scores = np.asarray(plain(params, images))
    np.testing.assert_allclose(scaled(params, images), 50 + 10 * scores, rtol=1e-6)


def test_records_are_judged_and_written_as_the_report_reads_them(dataset):
    answers = [np.arange(40, 80, 5, dtype=np.float32)[:, None]]
    pictures = classifier_results.predicted_pictures([dataset], answers, task="age_years")
    table = classifier_results.record_rows(
        pictures, part="test", task="age_years", aggregation="mean"
    )
    np.testing.assert_allclose(table["truth.age_years.value"], [40, 60, 50, 70])
    np.testing.assert_allclose(table["fine-tuned.age_years.value"], [42.5, 52.5, 62.5, 72.5])
    metrics = number_judgement.judge_number(
        pictures,
        rule="mean",
        task="age_years",
        model="m",
        settings={"resamples": 20, "confidence": 0.9},
        seed=0,
    )
    row = metrics["rows"]["m"]
    assert row["mae"]["value"] == pytest.approx((2.5 + 7.5 + 12.5 + 2.5) / 4)
    r2 = validation.explained_share(
        np.array([40.0, 60, 50, 70]), np.array([42.5, 52.5, 62.5, 72.5])
    )
    assert row["r2"]["value"] == pytest.approx(r2)
    assert metrics["cohort"]["records"] == 4


def test_a_single_value_cannot_be_judged(dataset):
    answers = [np.zeros((8, 1), np.float32)]
    pictures = classifier_results.predicted_pictures([dataset], answers, task="age_years")
    numbers = {"age_years": np.where(np.arange(8) < 2, 50.0, np.nan)}
    one = Embeddings(pictures.frame, {}, pictures.matrix, {}, numbers)
    settings = {"resamples": 20, "confidence": 0.9}
    with pytest.raises(InputError, match="'age_years': 1 test records have a value"):
        number_judgement.judge_number(
            one, rule="mean", task="age_years", model="m", settings=settings, seed=0
        )
