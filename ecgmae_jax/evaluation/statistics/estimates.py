"""Estimates as plain values, and intervals from a standard error."""

import dataclasses
import math

import numpy as np
from scipy.special import ndtri

from ecgmae_jax.evaluation.statistics.intervals import Estimate


def plain(estimate: Estimate) -> dict[str, float | None]:
    """The estimate for JSON: None where a number is not finite."""
    return {
        name: float(value) if math.isfinite(value) else None
        for name, value in dataclasses.asdict(estimate).items()
    }


def normal_interval(value: float, *, error: float, confidence: float) -> Estimate:
    """`value` and its Wald interval; no interval where the standard error is zero or undefined.

    An error of zero says that nothing varied among these records, not that nothing can.
    """
    if not error > 0:
        return Estimate(float(value), np.nan, np.nan)
    half = two_sided_quantile(confidence) * error
    return Estimate(float(value), float(value - half), float(value + half))


def two_sided_quantile(confidence: float) -> float:
    """How many standard errors the interval reaches to either side; 1.96 at 0.95."""
    return float(ndtri(0.5 + confidence / 2))
