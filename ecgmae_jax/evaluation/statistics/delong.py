"""Variance and paired comparison of areas under the ROC curve without resampling.

DeLong, DeLong and Clarke-Pearson 1988, by midranks (Sun and Xu 2014). Each record counts as
independent: where patients have several, `patient_resamples` gives the wider, honest interval.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import ndtr
from scipy.stats import rankdata

from ecgmae_jax.evaluation.statistics.estimates import normal_interval
from ecgmae_jax.evaluation.statistics.intervals import Estimate


@dataclasses.dataclass(frozen=True, eq=False)
class Areas:
    """AUROC of several models on the same records, with their covariance (NaN where undefined)."""

    values: Float64[np.ndarray, " m"]
    covariance: Float64[np.ndarray, "m m"]


def delong(truth: Float[np.ndarray, " b"], scores: Float[np.ndarray, "m b"]) -> Areas:
    """The areas of `m` models and the covariance of their estimates.

    With fewer than two cases or two controls the covariance is NaN, without either the areas too.
    """
    positive, negative = scores[:, truth > 0], scores[:, truth <= 0]
    num_positive, num_negative = positive.shape[1], negative.shape[1]
    if min(num_positive, num_negative) == 0:
        return Areas(np.full(len(scores), np.nan), np.full((len(scores),) * 2, np.nan))
    ranks = rankdata(np.concatenate([positive, negative], axis=1), axis=1)
    # Share of controls below each case, and of cases above each control; ties count one half.
    below = (ranks[:, :num_positive] - rankdata(positive, axis=1)) / num_negative
    above = 1 - (ranks[:, num_positive:] - rankdata(negative, axis=1)) / num_positive
    if min(num_positive, num_negative) == 1:
        return Areas(below.mean(axis=1), np.full((len(scores),) * 2, np.nan))
    covariance = np.cov(below) / num_positive + np.cov(above) / num_negative
    return Areas(below.mean(axis=1), covariance.reshape(len(scores), len(scores)))


def area_interval(areas: Areas, model: int, *, confidence: float) -> Estimate:
    """The area of one model with its normal interval, cut off at 0 and 1.

    An area of 0 or 1 has no interval: its estimated variance is zero.
    """
    error = np.sqrt(areas.covariance[model, model])
    found = normal_interval(areas.values[model], error=error, confidence=confidence)
    return Estimate(found.value, *np.clip([found.low, found.high], 0.0, 1.0).tolist())


def area_difference(
    areas: Areas, model: int, *, less: int, confidence: float
) -> tuple[Estimate, float]:
    """The area of `model` less that of `less`, and the two-sided p value of their being equal."""
    contrast = np.zeros(len(areas.values))
    contrast[model] += 1
    contrast[less] -= 1
    value = float(contrast @ areas.values)
    variance = float(contrast @ areas.covariance @ contrast)
    # Rounding leaves a trace of variance where two models order all records alike.
    error = np.sqrt(variance) if variance > 1e-15 else np.nan
    p_value = float(2 * ndtr(-abs(value) / error))
    return normal_interval(value, error=error, confidence=confidence), p_value
