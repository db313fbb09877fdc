import numpy as np
import pytest

from ecgmae_jax.evaluation.statistics.operating_points import (
    choose_thresholds,
    count_calls,
    describe_calls,
)
from ecgmae_jax.evaluation.statistics.proportions import Counts


@pytest.fixture
def predicted():
    rng = np.random.default_rng(7)
    truth = (rng.random(200) < 0.2).astype(np.float64)
    return truth, np.round(0.3 * truth + 0.7 * rng.random(200), 2)


def rates(truth, probabilities, threshold):
    called = probabilities >= threshold
    return called[truth == 1].mean(), (~called)[truth == 0].mean()


def test_each_threshold_is_the_best_of_all_that_reach_its_aim(predicted):
    chosen = choose_thresholds(*predicted, sensitivities=(0.8, 0.95, 1.0))
    candidates = np.unique(predicted[1])
    for aim in (0.8, 0.95, 1.0):
        reaching = [t for t in candidates if rates(*predicted, t)[0] >= aim - 1e-12]
        assert chosen[f"sensitivity {aim:g}"] == max(reaching)
    sums = {t: sum(rates(*predicted, t)) for t in candidates}
    assert sums[chosen["Youden"]] == pytest.approx(max(sums.values()), abs=1e-12)


def test_a_sensitivity_of_a_whole_number_of_cases_takes_no_more():
    truth, probabilities = np.ones(20), np.arange(20) / 20
    truth = np.append(truth, 0.0)
    probabilities = np.append(probabilities, 0.0)
    chosen = choose_thresholds(truth, probabilities, sensitivities=(0.95, 0.9))
    assert rates(truth, probabilities, chosen["sensitivity 0.95"])[0] == 0.95
    assert rates(truth, probabilities, chosen["sensitivity 0.9"])[0] == 0.9


def test_without_both_classes_there_is_none():
    assert choose_thresholds(np.zeros(5), np.arange(5.0), sensitivities=(0.9,)) == {}
    assert choose_thresholds(np.zeros(0), np.zeros(0), sensitivities=(0.9,)) == {}


def test_calls_are_counted_and_described(predicted):
    truth, probabilities = predicted
    counts = count_calls(truth, probabilities, threshold=0.5)
    assert sum([counts.true_positive, counts.false_negative]) == truth.sum()
    assert counts.true_positive + counts.false_positive == (probabilities >= 0.5).sum()
    found = describe_calls(
        Counts(true_positive=9, false_positive=5, true_negative=15, false_negative=1),
        prevalences=(0.1,),
        confidence=0.95,
    )
    shares = {name: found[name]["value"] for name in ("sensitivity", "specificity", "ppv", "npv")}
    assert shares == {"sensitivity": 0.9, "specificity": 0.75, "ppv": 9 / 14, "npv": 15 / 16}
    assert [found[name]["of"] for name in shares] == [10, 20, 14, 16]
    assert found["at_prevalence"][0]["ppv"]["value"] == pytest.approx(0.09 / (0.09 + 0.225))
    silent = Counts(true_positive=0, false_positive=0, true_negative=3, false_negative=1)
    assert describe_calls(silent, prevalences=(), confidence=0.95)["ppv"]["value"] is None
