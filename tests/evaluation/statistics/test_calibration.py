import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from ecgmae_jax.evaluation.statistics.calibration import (
    Recalibration,
    fit_recalibration,
    measure_calibration,
    recalibrate,
)


@pytest.fixture(params=[0, 1])
def predicted(request):
    """Records whose predictions are too extreme and, on average, too high."""
    rng = np.random.default_rng(request.param)
    log_odds = rng.normal(-1.0, 1.2, size=600)
    truth = (rng.random(600) < expit(log_odds)).astype(np.float64)
    return truth, expit(0.7 + 1.8 * log_odds)


def test_intercept_and_slope_are_the_unpenalised_regression(predicted):
    truth, probabilities = predicted
    found = measure_calibration(truth, probabilities, confidence=0.95)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(logit(probabilities)[:, None], truth)
    np.testing.assert_allclose(found.slope.value, model.coef_[0, 0], rtol=1e-5)
    np.testing.assert_allclose(found.intercept.value, model.intercept_[0], rtol=1e-4)
    shift = brentq(lambda a: (expit(logit(probabilities) + a) - truth).sum(), -5, 5, xtol=1e-13)
    np.testing.assert_allclose(found.in_the_large.value, shift, rtol=1e-8)
    np.testing.assert_allclose(found.brier, brier_score_loss(truth, probabilities), rtol=1e-12)
    chance = np.full(600, truth.mean())
    skill = 1 - found.brier / brier_score_loss(truth, chance)
    np.testing.assert_allclose(found.brier_skill, skill, rtol=1e-9)
    assert found.slope.high < 0.9
    assert found.in_the_large.high < 0


def test_recalibration_makes_its_own_records_calibrated_and_keeps_their_order(predicted):
    truth, probabilities = predicted
    corrected = recalibrate(probabilities, fit_recalibration(truth, probabilities))
    found = measure_calibration(truth, corrected, confidence=0.95)
    np.testing.assert_allclose(
        [found.slope.value, found.intercept.value, found.in_the_large.value], [1, 0, 0], atol=1e-7
    )
    np.testing.assert_allclose(found.expected, found.observed, rtol=1e-9)
    assert (np.argsort(corrected) == np.argsort(probabilities)).all()
    assert found.brier < measure_calibration(truth, probabilities, confidence=0.95).brier


def test_the_slope_is_found_again_after_a_known_distortion(predicted):
    truth, probabilities = predicted
    before = measure_calibration(truth, probabilities, confidence=0.95)
    distorted = recalibrate(probabilities, Recalibration(intercept=-0.4, slope=0.5))
    after = measure_calibration(truth, distorted, confidence=0.95)
    np.testing.assert_allclose(after.slope.value, 2 * before.slope.value, rtol=1e-6)
    width, twice = (e.high - e.low for e in (before.slope, after.slope))
    np.testing.assert_allclose(twice, 2 * width, rtol=1e-5)


def test_where_there_is_no_maximum_there_is_no_figure():
    truth = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    apart = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    assert fit_recalibration(truth, apart) is None
    found = measure_calibration(truth, apart, confidence=0.95)
    assert np.isnan([found.slope.value, found.intercept.value]).all()
    assert np.isfinite([found.in_the_large.value, found.brier]).all()
    assert fit_recalibration(truth, np.full(6, 0.3)) is None
    assert fit_recalibration(np.ones(6), apart) is None
    extreme = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    assert np.isfinite(measure_calibration(truth, extreme, confidence=0.95).slope.value)
