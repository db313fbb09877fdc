"""The measures of the PhysioNet/CinC Challenges of 2020 and 2021.

As defined by Perez Alday et al., Physiol. Meas. 41:124003 (2020), and Reyna et al., Computing in
Cardiology 48 (2021). Sums run from the first record or threshold to the last, as in the official
evaluators: a figure such as 0.5625 is rounded to three digits by its last bit.
"""

import numpy as np
from jaxtyping import Bool, Float64


def areas(
    truth: Bool[np.ndarray, "r k"], scores: Float64[np.ndarray, "r k"]
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """AUROC and AUPRC of each class; NaN where nobody has it, AUROC also where everybody has.

    AUROC by trapezoids over the distinct scores, AUPRC by steps. A score may be infinite.
    """
    found = [_areas(*columns) for columns in zip(truth.T, scores.T, strict=True)]
    return np.array([one[0] for one in found]), np.array([one[1] for one in found])


def _areas(truth: Bool[np.ndarray, " r"], scores: Float64[np.ndarray, " r"]) -> tuple[float, float]:
    _, rank = np.unique(-scores, return_inverse=True)
    positives, negatives = (
        np.concatenate([[0], np.cumsum(np.bincount(rank, weights=kind))])
        for kind in (truth, ~truth)
    )
    with np.errstate(invalid="ignore"):
        sensitivity = positives / positives[-1]
        specificity = (negatives[-1] - negatives) / negatives[-1]
    precision = positives[1:] / (positives[1:] + negatives[1:])
    gained = np.diff(sensitivity)
    auroc = _total(0.5 * gained * (specificity[1:] + specificity[:-1]))
    return float(auroc), float(_total(gained * precision))


def accuracy(truth: Bool[np.ndarray, "r k"], called: Bool[np.ndarray, "r k"]) -> float:
    """Share of the records whose classes are all called right."""
    return float(np.mean((truth == called).all(axis=1)))


def f_measures(
    truth: Bool[np.ndarray, "r k"], called: Bool[np.ndarray, "r k"]
) -> Float64[np.ndarray, " k"]:
    """F1 of each class, NaN where it neither holds nor is called."""
    right, wrong, missed = (
        both.sum(axis=0) for both in (truth & called, ~truth & called, truth & ~called)
    )
    with np.errstate(invalid="ignore"):
        return 2 * right / (2 * right + wrong + missed)


def beta_measures(
    truth: Bool[np.ndarray, "r k"], called: Bool[np.ndarray, "r k"], *, beta: float
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """F-beta and G-beta of each class, every record weighing one over its number of classes."""
    weight = 1 / np.maximum(truth.sum(axis=1, keepdims=True), 1)
    right, wrong, missed = (
        _total(both * weight) for both in (truth & called, ~truth & called, truth & ~called)
    )
    with np.errstate(invalid="ignore"):
        f_beta = (1 + beta**2) * right / ((1 + beta**2) * right + wrong + beta**2 * missed)
        g_beta = right / (right + wrong + beta * missed)
    return f_beta, g_beta


def challenge_metric(
    truth: Bool[np.ndarray, "r k"],
    called: Bool[np.ndarray, "r k"],
    *,
    weights: Float64[np.ndarray, "k k"],
    sinus_rhythm: int,
) -> float:
    """The Challenge's own score: 1 for calling the truth, 0 for calling nothing but sinus rhythm.

    Every pair of a true and a called class earns its weight, divided by the number of classes
    that are true or called in the record; 0 where truth and sinus rhythm earn the same.
    """
    inactive = np.zeros_like(truth)
    inactive[:, sinus_rhythm] = True
    earned, best, least = (
        float(np.sum(weights * _confusion(truth, one))) for one in (called, truth, inactive)
    )
    return (earned - least) / (best - least) if best != least else 0.0


def mean_of_known(values: Float64[np.ndarray, " k"]) -> float:
    """The mean over the classes that have a figure; NaN where none has."""
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def _confusion(
    truth: Bool[np.ndarray, "r k"], called: Bool[np.ndarray, "r k"]
) -> Float64[np.ndarray, "k k"]:
    total = np.zeros((truth.shape[1], truth.shape[1]))
    for true, answered in zip(truth, called, strict=True):
        total += np.outer(true, answered) / max(np.count_nonzero(true | answered), 1)
    return total


def _total(values: Float64[np.ndarray, "n *k"]) -> Float64[np.ndarray, "*k"]:
    """The sum along the first axis, one after the other: `np.sum` adds in pairs."""
    return np.asarray(np.cumsum(values, axis=0)[-1])
