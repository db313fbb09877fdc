"""Statistics of the clinical report against those of statsmodels."""

import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.nonparametric.smoothers_lowess import lowess
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from ecgmae_jax.evaluation.statistics.calibration import measure_calibration
from ecgmae_jax.evaluation.statistics.calibration_curve import local_linear
from ecgmae_jax.evaluation.statistics.multiplicity import holm
from ecgmae_jax.evaluation.statistics.proportions import wilson


@pytest.fixture
def predicted():
    rng = np.random.default_rng(11)
    log_odds = rng.normal(-0.8, 1.1, size=400)
    truth = (rng.random(400) < expit(log_odds)).astype(np.float64)
    return truth, expit(0.5 + 1.5 * log_odds)


def test_calibration_is_the_binomial_glm_with_its_errors(predicted):
    truth, probabilities = predicted
    found = measure_calibration(truth, probabilities, confidence=0.9)
    log_odds = logit(probabilities)
    design = np.column_stack([np.ones(400), log_odds])
    line = GLM(truth, design, family=Binomial()).fit(tol=1e-12)
    for position, estimate in enumerate((found.intercept, found.slope)):
        expected = [line.params[position], *line.conf_int(alpha=0.1)[position]]
        np.testing.assert_allclose(
            [estimate.value, estimate.low, estimate.high], expected, rtol=1e-6
        )
    shift = GLM(truth, np.ones((400, 1)), family=Binomial(), offset=log_odds).fit(tol=1e-12)
    expected = [shift.params[0], *shift.conf_int(alpha=0.1)[0]]
    large = found.in_the_large
    np.testing.assert_allclose([large.value, large.low, large.high], expected, rtol=1e-6)


def test_the_smooth_curve_is_lowess_without_robustness(predicted):
    truth, probabilities = predicted
    at = np.quantile(probabilities, np.linspace(0.01, 0.99, 23))
    expected = lowess(truth, probabilities, frac=0.75, it=0, xvals=at)
    found = local_linear(probabilities, truth, at=at, span=0.75)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("count", "total"), [(1, 9), (17, 40), (39, 40)])
def test_wilson(count, total):
    found = wilson(count, total, confidence=0.95)
    expected = proportion_confint(count, total, method="wilson")
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-9)


def test_holm():
    p_values = np.random.default_rng(2).random(30) ** 4
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)
