import math

import numpy as np
import pytest
from sklearn import metrics

from ecgmae_jax.evaluation.challenge import measures


@pytest.fixture
def answers():
    """Truth, calls and scores with many ties of 40 records and five classes."""
    rng = np.random.default_rng(0)
    truth, called = rng.random((40, 5)) < 0.3, rng.random((40, 5)) < 0.4
    scores = np.round(rng.random((40, 5)) + truth, 1)
    return truth, called, scores


def test_areas_are_those_of_scikit_learn(answers):
    truth, _, scores = answers
    found = np.stack(measures.areas(truth, scores))
    for k in range(truth.shape[1]):
        expected = (
            metrics.roc_auc_score(truth[:, k], scores[:, k]),
            metrics.average_precision_score(truth[:, k], scores[:, k]),
        )
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-12)


def test_areas_follow_ranks_alone(answers):
    truth, _, scores = answers
    with_infinities = np.where(scores == scores.max(), np.inf, scores)
    np.testing.assert_array_equal(
        measures.areas(truth, with_infinities), measures.areas(truth, scores)
    )


def test_classes_that_nobody_or_everybody_has():
    truth = np.array([[False, True], [False, True]])
    auroc, auprc = measures.areas(truth, np.array([[0.2, 0.2], [0.7, 0.7]]))
    assert np.isnan(auroc).all()
    np.testing.assert_array_equal(auprc, [np.nan, 1.0])
    np.testing.assert_array_equal(measures.f_measures(truth, np.zeros_like(truth)), [np.nan, 0.0])


def test_f_measures_and_accuracy_are_those_of_scikit_learn(answers):
    truth, called, _ = answers
    np.testing.assert_allclose(
        measures.f_measures(truth, called), metrics.f1_score(truth, called, average=None)
    )
    called[:7] = truth[:7]
    assert measures.accuracy(truth, called) == metrics.accuracy_score(truth, called)


def test_beta_measures_weigh_records_by_their_number_of_classes(answers):
    truth, called, _ = answers
    weight = 1 / np.maximum(truth.sum(axis=1), 1)
    f_beta, g_beta = measures.beta_measures(truth, called, beta=2.0)
    for k in range(truth.shape[1]):
        expected = metrics.fbeta_score(truth[:, k], called[:, k], beta=2, sample_weight=weight)
        assert f_beta[k] == pytest.approx(expected)
        table = metrics.confusion_matrix(truth[:, k], called[:, k], sample_weight=weight)
        assert g_beta[k] == pytest.approx(
            table[1, 1] / (table[1, 1] + table[0, 1] + 2 * table[1, 0])
        )


def test_the_challenge_metric_is_its_definition(answers):
    truth, called, _ = answers
    weights = np.random.default_rng(1).random((5, 5))

    def earned(answers):
        total = 0.0
        for true, answer in zip(truth, answers, strict=True):
            union = max((true | answer).sum(), 1)
            for j in np.flatnonzero(true):
                total += sum(weights[j, k] for k in np.flatnonzero(answer)) / union
        return total

    inactive = np.tile(np.arange(5) == 2, (40, 1))
    expected = (earned(called) - earned(inactive)) / (earned(truth) - earned(inactive))
    found = measures.challenge_metric(truth, called, weights=weights, sinus_rhythm=2)
    assert found == pytest.approx(expected, rel=1e-12)
    own = [
        measures.challenge_metric(truth, one, weights=weights, sinus_rhythm=2)
        for one in (truth, inactive)
    ]
    assert own == [1, 0]


def test_where_sinus_rhythm_is_all_there_is_the_metric_is_zero():
    truth = np.array([[True, False]])
    found = measures.challenge_metric(truth, ~truth, weights=np.eye(2), sinus_rhythm=0)
    assert found == 0


def test_the_mean_leaves_out_what_is_unknown():
    assert measures.mean_of_known(np.array([0.25, np.nan, 0.75])) == 0.5
    assert math.isnan(measures.mean_of_known(np.array([np.nan])))
