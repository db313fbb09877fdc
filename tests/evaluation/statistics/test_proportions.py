import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, norm

from ecgmae_jax.evaluation.statistics.proportions import Counts, predictive_values, wilson

COUNTS = Counts(true_positive=41, false_positive=30, true_negative=170, false_negative=9)


@pytest.mark.parametrize(("count", "total"), [(0, 7), (3, 7), (7, 7), (1, 1), (450, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_is_the_score_interval(count, total, confidence):
    found = wilson(count, total, confidence=confidence)
    expected = binomtest(count, total).proportion_ci(confidence, method="wilson")
    np.testing.assert_allclose([found.low, found.high], [expected.low, expected.high], atol=1e-12)
    assert found.low <= found.value <= found.high
    # The bounds are where the score test just rejects.
    z = norm.ppf(0.5 + confidence / 2)
    for bound in {found.low, found.high} - {0.0, 1.0}:
        distance = abs(count / total - bound) / np.sqrt(bound * (1 - bound) / total)
        np.testing.assert_allclose(distance, z, rtol=1e-9)


def test_at_the_prevalence_found_they_are_the_shares_found():
    ppv, npv = predictive_values(COUNTS, prevalence=50 / 250, confidence=0.95)
    np.testing.assert_allclose([ppv.value, npv.value], [41 / 71, 170 / 179], rtol=1e-12)


def test_the_interval_is_that_of_the_delta_method():
    """The variance of the log odds by numerical differentiation in sensitivity and specificity."""
    prevalence, sensitivity, specificity = 0.03, 41 / 50, 170 / 200

    def log_odds(at_sensitivity, at_specificity):
        hit, false = at_sensitivity * prevalence, (1 - at_specificity) * (1 - prevalence)
        return logit(hit / (hit + false))

    step = 1e-6
    by_sensitivity = log_odds(sensitivity + step, specificity) - log_odds(sensitivity, specificity)
    by_specificity = log_odds(sensitivity, specificity + step) - log_odds(sensitivity, specificity)
    variance = (by_sensitivity / step) ** 2 * sensitivity * (1 - sensitivity) / 50
    variance += (by_specificity / step) ** 2 * specificity * (1 - specificity) / 200
    ppv, _ = predictive_values(COUNTS, prevalence=prevalence, confidence=0.95)
    half = norm.ppf(0.975) * np.sqrt(variance)
    centre = log_odds(sensitivity, specificity)
    np.testing.assert_allclose(
        [ppv.low, ppv.high], expit([centre - half, centre + half]), rtol=1e-4
    )


def test_the_two_predictive_values_mirror_each_other():
    mirrored = Counts(true_positive=170, false_positive=9, true_negative=41, false_negative=30)
    ppv, npv = predictive_values(COUNTS, prevalence=0.1, confidence=0.95)
    other_ppv, other_npv = predictive_values(mirrored, prevalence=0.9, confidence=0.95)
    for one, other in ((ppv, other_npv), (npv, other_ppv)):
        found, expected = ([e.value, e.low, e.high] for e in (one, other))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_nothing_is_claimed_of_nobody_or_of_certainty():
    assert np.isnan(wilson(0, 0, confidence=0.95).value)
    nobody = Counts(true_positive=0, false_positive=3, true_negative=5, false_negative=0)
    assert np.isnan(predictive_values(nobody, prevalence=0.1, confidence=0.95)[0].value)
    sure = Counts(true_positive=10, false_positive=2, true_negative=18, false_negative=0)
    ppv, npv = predictive_values(sure, prevalence=0.1, confidence=0.95)
    np.testing.assert_allclose(ppv.value, 0.1 / (0.1 + 0.9 * 0.1))
    assert (npv.value, np.isnan(npv.low), np.isnan(ppv.low)) == (1.0, True, True)
    silent = Counts(true_positive=0, false_positive=0, true_negative=18, false_negative=4)
    assert np.isnan(predictive_values(silent, prevalence=0.1, confidence=0.95)[0].value)
