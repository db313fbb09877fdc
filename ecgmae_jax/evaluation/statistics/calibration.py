"""Whether predicted probabilities are those that occur, and their correction on other records.

Weak calibration after Cox 1958 and Van Calster et al. 2019: logistic regressions of the truth on
the log odds of the prediction.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import expit, logit

from ecgmae_jax.evaluation.statistics.estimates import normal_interval
from ecgmae_jax.evaluation.statistics.intervals import Estimate

# Log odds of a prediction of exactly 0 or 1 are not finite.
_SMALLEST = 1e-7
_MAX_STEPS = 100
_TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True)
class Recalibration:
    """Log odds corrected to `intercept + slope * log odds`."""

    intercept: float
    slope: float


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How a model's probabilities agree with the truth (NaN where it cannot be told).

    Attributes:
        intercept: of the line with that `slope`; both 0 and 1 where calibration is perfect.
        slope: below 1 where predictions are too extreme, above 1 where they are too timid.
        in_the_large: intercept with the slope held at 1; above 0 where predictions are too low.
        observed: share of records with the condition.
        expected: mean prediction.
        brier: mean squared error of the probabilities, 0 at best.
        brier_skill: 1 at best, 0 where everybody is given the prevalence.
    """

    intercept: Estimate
    slope: Estimate
    in_the_large: Estimate
    observed: float
    expected: float
    brier: float
    brier_skill: float


def measure_calibration(
    truth: Float[np.ndarray, " b"], probabilities: Float[np.ndarray, " b"], *, confidence: float
) -> Calibration:
    """Intercept, slope and calibration in the large with Wald intervals, and the Brier score."""
    log_odds, ones = log_odds_of(probabilities), np.ones((len(truth), 1))
    line = _logistic_fit(np.column_stack([ones, log_odds]), truth, offset=np.zeros(len(truth)))
    shift = _logistic_fit(ones, truth, offset=log_odds)
    prevalence = float(truth.mean())
    brier = float(np.mean((probabilities - truth) ** 2))
    chance = prevalence * (1 - prevalence)
    intercept, slope = (_wald(line, i, confidence) for i in (0, 1))
    return Calibration(
        intercept=intercept,
        slope=slope,
        in_the_large=_wald(shift, 0, confidence),
        observed=prevalence,
        expected=float(probabilities.mean()),
        brier=brier,
        brier_skill=1 - brier / chance if chance else np.nan,
    )


def fit_recalibration(
    truth: Float[np.ndarray, " b"], probabilities: Float[np.ndarray, " b"]
) -> Recalibration | None:
    """Logistic recalibration (Platt scaling of the log odds); None where the data fix none."""
    design = np.column_stack([np.ones(len(truth)), log_odds_of(probabilities)])
    found = _logistic_fit(design, truth, offset=np.zeros(len(truth)))
    return None if found is None else Recalibration(float(found[0][0]), float(found[0][1]))


def recalibrate(
    probabilities: Float[np.ndarray, "*b"], recalibration: Recalibration
) -> Float64[np.ndarray, "*b"]:
    """The corrected probabilities."""
    return expit(recalibration.intercept + recalibration.slope * log_odds_of(probabilities))


def log_odds_of(probabilities: Float[np.ndarray, "*b"]) -> Float64[np.ndarray, "*b"]:
    """Log odds, of probabilities kept 1e-7 away from 0 and 1."""
    return logit(np.clip(probabilities.astype(np.float64), _SMALLEST, 1 - _SMALLEST))


def _wald(
    fit: tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, "m m"]] | None,
    position: int,
    confidence: float,
) -> Estimate:
    if fit is None:
        return Estimate(np.nan, np.nan, np.nan)
    error = float(np.sqrt(fit[1][position, position]))
    return normal_interval(float(fit[0][position]), error=error, confidence=confidence)


def _logistic_fit(
    design: Float64[np.ndarray, "b m"],
    truth: Float[np.ndarray, " b"],
    *,
    offset: Float64[np.ndarray, " b"],
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, "m m"]] | None:
    """Maximum likelihood coefficients and their covariance, by Newton steps halved where needed.

    None where there is no maximum: one class, predictions all alike, or classes set apart in full.
    """
    if not 0 < truth.sum() < len(truth) or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    coefficients = np.zeros(design.shape[1])
    for _ in range(_MAX_STEPS):
        expected = expit(design @ coefficients + offset)
        information = (design * (expected * (1 - expected))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (truth - expected))
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < _TOLERANCE:
            return coefficients, np.linalg.inv(information)
        before = _log_likelihood(design @ coefficients + offset, truth)
        while _log_likelihood(design @ (coefficients + step) + offset, truth) < before:
            step = step / 2
            if np.abs(step).max() < _TOLERANCE:
                return coefficients, np.linalg.inv(information)
        coefficients = coefficients + step
    return None


def _log_likelihood(log_odds: Float64[np.ndarray, " b"], truth: Float[np.ndarray, " b"]) -> float:
    return float(np.sum(truth * log_odds - np.logaddexp(0.0, log_odds)))
