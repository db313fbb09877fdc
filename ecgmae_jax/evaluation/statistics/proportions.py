"""Shares of counted records with intervals, and predictive values at another prevalence."""

import dataclasses
import math

import numpy as np
from scipy.special import expit

from ecgmae_jax.evaluation.statistics.estimates import two_sided_quantile
from ecgmae_jax.evaluation.statistics.intervals import Estimate


@dataclasses.dataclass(frozen=True)
class Counts:
    """Records by truth and call."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


def wilson(count: int, total: int, *, confidence: float) -> Estimate:
    """`count / total` with Wilson's score interval (Wilson 1927); NaN of no records."""
    if total == 0:
        return Estimate(np.nan, np.nan, np.nan)
    z2 = two_sided_quantile(confidence) ** 2
    share = count / total
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * total)) / total) / (1 + z2 / total)
    # Rounding must not take the bound beyond an observed 0 or 1.
    low = 0.0 if count == 0 else centre - spread
    high = 1.0 if count == total else centre + spread
    return Estimate(share, low, high)


def predictive_values(
    counts: Counts, *, prevalence: float, confidence: float
) -> tuple[Estimate, Estimate]:
    """PPV and NPV where a share `prevalence` has the condition, by Bayes' theorem.

    Intervals are Wald's on the log odds (Mercaldo, Lau and Zhou 2007) and take the prevalence as
    known; none where sensitivity or specificity is 0 or 1.
    """
    cases = counts.true_positive + counts.false_negative
    controls = counts.true_negative + counts.false_positive
    if not cases or not controls:
        return Estimate(np.nan, np.nan, np.nan), Estimate(np.nan, np.nan, np.nan)
    sensitivity, specificity = counts.true_positive / cases, counts.true_negative / controls
    return (
        _posterior(sensitivity, 1 - specificity, prevalence, (cases, controls), confidence),
        _posterior(specificity, 1 - sensitivity, 1 - prevalence, (controls, cases), confidence),
    )


def _posterior(
    hit: float, false: float, prior: float, totals: tuple[int, int], confidence: float
) -> Estimate:
    """Share of those called who are rightly called; `totals` are the numbers behind both rates."""
    called = hit * prior + false * (1 - prior)
    if called == 0:
        return Estimate(np.nan, np.nan, np.nan)
    value = hit * prior / called
    if not 0 < hit < 1 or not 0 < false < 1:
        return Estimate(value, np.nan, np.nan)
    log_odds = math.log(hit * prior / (false * (1 - prior)))
    variance = (1 - hit) / (hit * totals[0]) + (1 - false) / (false * totals[1])
    half = two_sided_quantile(confidence) * math.sqrt(variance)
    return Estimate(value, float(expit(log_odds - half)), float(expit(log_odds + half)))
