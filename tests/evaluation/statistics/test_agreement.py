import numpy as np
import pytest
from scipy.stats import linregress, pearsonr
from sklearn.metrics import mean_absolute_error, r2_score
from statsmodels.regression.linear_model import OLS

from ecgmae_jax.evaluation.statistics.agreement import agreement_measures


@pytest.fixture
def predicted():
    rng = np.random.default_rng(3)
    values = rng.normal(55, 9, 80)
    return values, 20 + 0.6 * values + rng.normal(2, 4, 80)


def test_figures_agree_with_libraries_under_every_weighting(predicted):
    values, predictions = predicted
    weights = np.random.default_rng(2).integers(0, 4, (5, 80)).astype(np.uint16)
    found = agreement_measures(values, predictions, weights)
    for i, weight in enumerate(weights):
        rows = np.repeat(np.arange(80), weight)
        truth, guess = values[rows], predictions[rows]
        assert found["r2"][i] == pytest.approx(r2_score(truth, guess))
        assert found["mae"][i] == pytest.approx(mean_absolute_error(truth, guess))
        assert found["correlation"][i] == pytest.approx(pearsonr(truth, guess).statistic)
        line = linregress(guess, truth)
        assert found["slope"][i] == pytest.approx(line.slope)
        assert found["intercept"][i] == pytest.approx(line.intercept)


def test_the_line_of_calibration_is_that_of_least_squares(predicted):
    values, predictions = predicted
    found = agreement_measures(values, predictions, np.ones((1, 80)))
    line = OLS(values, np.column_stack([np.ones(80), predictions])).fit()
    np.testing.assert_allclose([found["intercept"][0], found["slope"][0]], line.params, rtol=1e-10)
    corrected = found["intercept"][0] + found["slope"][0] * predictions
    again = agreement_measures(values, corrected, np.ones((1, 80)))
    np.testing.assert_allclose(
        [again["slope"][0], again["intercept"][0], again["bias"][0]], [1, 0, 0], atol=1e-9
    )


def test_limits_of_agreement_are_bias_and_deviation_of_the_differences(predicted):
    values, predictions = predicted
    weights = np.random.default_rng(5).integers(0, 3, (4, 80)).astype(np.uint16)
    found = agreement_measures(values, predictions, weights)
    for i, weight in enumerate(weights):
        differences = np.repeat(predictions - values, weight)
        # 1.959964 is the 97.5th percentile of the standard normal distribution.
        half = 1.959964 * differences.std(ddof=1)
        assert found["bias"][i] == pytest.approx(differences.mean())
        assert found["lower_limit"][i] == pytest.approx(differences.mean() - half)
        assert found["upper_limit"][i] == pytest.approx(differences.mean() + half)


def test_a_shift_moves_the_bias_alone_and_a_large_offset_costs_nothing(predicted):
    values, predictions = predicted
    once = np.ones((1, 80))
    found = agreement_measures(values, predictions, once)
    shifted = agreement_measures(values, predictions + 7, once)
    assert shifted["bias"][0] == pytest.approx(found["bias"][0] + 7)
    assert shifted["slope"][0] == pytest.approx(found["slope"][0])
    far = agreement_measures(values + 1e6, predictions + 1e6, once)
    for name in ("r2", "correlation", "slope", "bias", "lower_limit"):
        assert far[name][0] == pytest.approx(found[name][0], rel=1e-7)


def test_a_constant_has_no_correlation():
    values = np.array([1.0, 2.0, 4.0])
    found = agreement_measures(values, np.full(3, 2.0), np.ones((1, 3)))
    assert np.isnan(found["correlation"][0])
    assert np.isnan(found["slope"][0])
    assert found["bias"][0] == pytest.approx(-1 / 3)
