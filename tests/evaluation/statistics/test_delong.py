import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from ecgmae_jax.evaluation.statistics.delong import area_difference, area_interval, delong


@pytest.fixture(params=["all scores differ", "many ties"])
def scored(request):
    """The truth of 70 records and the scores of three models, the second close to the first."""
    rng = np.random.default_rng(5)
    truth = (rng.random(70) < 0.35).astype(np.float64)
    first = truth + rng.normal(size=70)
    scores = np.stack([first, first + rng.normal(size=70), rng.normal(size=70)])
    return truth, scores if request.param == "all scores differ" else np.round(scores)


def structural_components(truth, scores):
    """Of one model, comparing every case with every control (DeLong et al. 1988, section 2)."""
    cases, controls = scores[truth == 1], scores[truth == 0]
    wins = np.array([[(x > y) + 0.5 * (x == y) for y in controls] for x in cases], np.float64)
    return wins.mean(axis=1), wins.mean(axis=0)


def naive_covariance(truth, scores):
    found = [structural_components(truth, one) for one in scores]
    covariance = np.zeros((len(scores),) * 2)
    for i, (by_case, by_control) in enumerate(found):
        for j, (other_case, other_control) in enumerate(found):
            for ours, theirs in ((by_case, other_case), (by_control, other_control)):
                deviations = (ours - ours.mean()) * (theirs - theirs.mean())
                covariance[i, j] += deviations.sum() / (len(ours) - 1) / len(ours)
    return covariance


def test_midranks_give_the_components_of_all_pairs(scored):
    truth, scores = scored
    areas = delong(truth, scores)
    np.testing.assert_allclose(areas.covariance, naive_covariance(truth, scores), rtol=1e-10)
    expected = [roc_auc_score(truth, one) for one in scores]
    np.testing.assert_allclose(areas.values, expected, rtol=1e-12)


def test_the_interval_and_the_test_follow_from_the_covariance(scored):
    truth, scores = scored
    areas, covariance = delong(truth, scores), naive_covariance(truth, scores)
    found = area_interval(areas, 1, confidence=0.9)
    error = np.sqrt(covariance[1, 1])
    expected = norm.interval(0.9, loc=areas.values[1], scale=error)
    np.testing.assert_allclose([found.low, found.high], np.clip(expected, 0, 1), rtol=1e-9)
    difference, p_value = area_difference(areas, 2, less=0, confidence=0.95)
    error = np.sqrt(covariance[0, 0] + covariance[2, 2] - 2 * covariance[0, 2])
    np.testing.assert_allclose(difference.value, areas.values[2] - areas.values[0], rtol=1e-12)
    np.testing.assert_allclose(p_value, 2 * norm.sf(abs(difference.value) / error), rtol=1e-9)
    np.testing.assert_allclose(difference.high - difference.low, 2 * 1.959964 * error, rtol=1e-6)


def test_turning_scores_round_turns_areas_and_differences_round(scored):
    truth, scores = scored
    there, back = delong(truth, scores), delong(truth, -scores)
    np.testing.assert_allclose(back.values, 1 - there.values, rtol=1e-12)
    np.testing.assert_allclose(back.covariance, there.covariance, rtol=1e-9)
    one, p_one = area_difference(there, 1, less=0, confidence=0.95)
    other, p_other = area_difference(there, 0, less=1, confidence=0.95)
    np.testing.assert_allclose([one.low, p_one], [-other.high, p_other], rtol=1e-9)


def test_what_cannot_be_known_is_not_a_number():
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    perfect = delong(truth, np.array([[0.1, 0.2, 0.8, 0.9], [0.0, 0.1, 0.7, 0.9]]))
    assert perfect.values.tolist() == [1.0, 1.0]
    assert np.isnan(area_interval(perfect, 0, confidence=0.95).low)
    assert np.isnan(area_difference(perfect, 1, less=0, confidence=0.95)[1])
    assert np.isnan(delong(np.ones(4), np.ones((1, 4))).values).all()
    lonely = delong(np.array([0.0, 0.0, 1.0]), np.array([[0.1, 0.6, 0.5]]))
    assert lonely.values.tolist() == [0.5]
    assert np.isnan(lonely.covariance).all()
