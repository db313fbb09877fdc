"""The figure by which the best state is chosen: of records, not of pictures."""

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import PLAIN
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import classifiers, validation

CONFIG = ClassifierConfig(
    ViTConfig((8, 8), (8, 8), channels=1, width=4, depth=1, heads=1), num_classes=2
)
SPECIFICATION = {"mean": (0.5,), "std": (0.2,)}
FACTS = {"patient_id": "p", "source": "toy", "start_s": 0.0, "age_years": 1.0, "sex": "female"}


class Records(ExampleSource):
    """Two pictures of each record, whose classes are the bits of its number."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return 2 * len(self.numbers)

    def __getitem__(self, index):
        number = self.numbers[index // 2]
        ids = {"record_id": f"r{index // 2}", "segment": index % 2, "group": f"{index // 2}"}
        classes = [bit for bit in (0, 1) if number >> bit & 1]
        return FACTS | ids | {"diagnoses": (), "labels": {"findings": classes}}

    def only(self, *names):
        return self


def evaluate(monkeypatch, numbers, found, **settings):
    label_set = LabelSet("findings", ("a", "b"), exclusive=False, empty_is_missing=True)
    dataset = Dataset(
        "toy", "sheet", "validation", "1", Records(numbers), {"findings": label_set}, {}, "0" * 16
    )
    asked = []

    def predict_split(function, dataset, specification, *, batch_size):
        asked.append(function.args[0])
        return found

    monkeypatch.setattr(classifiers, "predict_split", predict_split)
    evaluator = validation.make_evaluator(
        CONFIG, SPECIFICATION, dataset, task="findings", batch_size=4, compute=PLAIN, **settings
    )
    return evaluator({"model": {"old": 1}, "average": {"new": 2}}), asked


@pytest.mark.parametrize(("aggregation", "pool"), [("mean", np.mean), ("max", np.max)])
def test_the_pictures_of_a_record_become_one_by_the_named_rule(monkeypatch, aggregation, pool):
    # Of record r3 nobody knows the classes.
    numbers = [1, 3, 2, 0, 1, 2, 3, 1, 2, 2]
    found = np.random.default_rng(0).random((20, 2)).astype(np.float32)
    figures, asked = evaluate(monkeypatch, numbers, found, aggregation=aggregation)
    pooled = np.delete(pool(found.reshape(10, 2, 2), axis=1), 3, axis=0)
    truth = np.array([[number & 1, number >> 1] for number in numbers if number])
    expected = np.mean([roc_auc_score(truth[:, k], pooled[:, k]) for k in (0, 1)])
    assert figures == {"validation_auroc": pytest.approx(expected)}
    # It is the average that is judged.
    assert asked == [{"new": 2}]


def test_a_value_is_judged_by_the_share_explained(monkeypatch, in_memory):
    ages = [40.0, float("nan"), 60.0, 75.0]
    ids = [{"record_id": f"r{i // 2}", "segment": i % 2, "group": f"{i // 2}"} for i in range(8)]
    examples = [
        FACTS | one | {"diagnoses": (), "age_years": ages[i // 2]} for i, one in enumerate(ids)
    ]
    dataset = Dataset("toy", "sheet", "validation", "1", in_memory(examples), {}, {}, "0" * 16)
    found = np.array([[40], [44], [0], [0], [50], [60], [70], [78]], np.float32)
    monkeypatch.setattr(classifiers, "predict_split", lambda *args, **settings: found)
    settings = {"task": "age_years", "batch_size": 4, "compute": PLAIN, "aggregation": "mean"}
    evaluator = validation.make_evaluator(
        CONFIG, SPECIFICATION, dataset, scale=(50.0, 10.0), **settings
    )
    figures = evaluator({"model": {"old": 1}, "average": {"new": 2}})
    expected = r2_score([40, 60, 75], [42, 55, 74])
    assert figures == {"validation_r2": pytest.approx(expected)}
    same = [one | {"age_years": 50.0} for one in examples]
    alike = Dataset("toy", "sheet", "validation", "1", in_memory(same), {}, {}, "0" * 16)
    with pytest.raises(InputError, match="no two validation pictures have different values"):
        validation.make_evaluator(CONFIG, SPECIFICATION, alike, scale=(50.0, 10.0), **settings)


def test_a_class_that_all_or_none_have_does_not_enter():
    truth = np.array([[1, 1], [0, 1], [1, 1], [np.nan, np.nan]], np.float32)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.3], [0.8, 0.2], [0.1, 0.9]], np.float32)
    assert validation.macro_auroc(truth, probabilities) == 1.0
    assert np.isnan(validation.macro_auroc(truth[:, 1:], probabilities[:, 1:]))


def test_validation_without_both_kinds_is_refused(monkeypatch):
    found = np.zeros((4, 2), np.float32)
    with pytest.raises(InputError, match=r"of 4 validation pictures none or all have each of \['a"):
        evaluate(monkeypatch, [3, 3], found, aggregation="mean")
