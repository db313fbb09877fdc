import numpy as np
import pytest
from sklearn.metrics import f1_score

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge.thresholds import check_rule, choose_threshold


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    truth = (rng.random(60) < 0.2).astype(np.float64)
    return truth, np.round(rng.random(60) + 0.4 * truth, 1)


def test_f1_is_the_greatest_and_its_threshold_the_highest(answers):
    truth, probabilities = answers
    candidates = np.unique(probabilities)
    found = [f1_score(truth, probabilities >= one) for one in candidates]
    expected = candidates[np.flatnonzero(np.isclose(found, max(found)))[-1]]
    assert choose_threshold(truth, probabilities, rule="F1") == expected


def test_other_rules_reach_what_they_say(answers):
    truth, probabilities = answers
    called = probabilities >= choose_threshold(truth, probabilities, rule="sensitivity 0.8")
    assert called[truth > 0].mean() >= 0.8
    sums = [
        (probabilities >= one)[truth > 0].mean() + (probabilities < one)[truth == 0].mean()
        for one in np.unique(probabilities)
    ]
    youden = choose_threshold(truth, probabilities, rule="Youden")
    assert sums[np.searchsorted(np.unique(probabilities), youden)] == pytest.approx(max(sums))
    assert choose_threshold(truth, probabilities, rule="half") == 0.5


@pytest.mark.parametrize("rule", ["F1", "Youden", "sensitivity 0.9"])
def test_without_both_kinds_there_is_no_threshold(answers, rule):
    assert choose_threshold(np.zeros(60), answers[1], rule=rule) is None


@pytest.mark.parametrize("rule", ["f1", "sensitivity", "sensitivity 1.5", "0.5", ""])
def test_an_unknown_rule_is_named(rule):
    with pytest.raises(InputError, match=f"config.threshold is '{rule}'; choose F1, Youden, half"):
        check_rule(rule)
