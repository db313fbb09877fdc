"""Net benefit of acting on a prediction (Vickers and Elkin 2006)."""

import numpy as np
from jaxtyping import Float, Float64


def net_benefit(
    truth: Float[np.ndarray, " b"],
    probabilities: Float[np.ndarray, " b"],
    *,
    thresholds: Float[np.ndarray, " t"],
) -> Float64[np.ndarray, " t"]:
    """True positives a record, less false positives weighted by the odds of the threshold.

    Acted on are records with a probability at or above the threshold, which lies in (0, 1) and is
    the risk at which acting and not acting are worth the same.
    """
    called = probabilities[None, :] >= thresholds[:, None]
    found = (called & (truth > 0)[None, :]).sum(axis=1)
    false = called.sum(axis=1) - found
    odds = (thresholds / (1 - thresholds)).astype(np.float64)
    return (found - odds * false) / len(truth)


def net_benefit_of_all(
    truth: Float[np.ndarray, " b"], *, thresholds: Float[np.ndarray, " t"]
) -> Float64[np.ndarray, " t"]:
    """Net benefit of acting on every record; acting on none has 0."""
    return net_benefit(truth, np.ones(len(truth)), thresholds=thresholds)
