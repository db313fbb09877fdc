"""The calibration curve: observed share against predicted probability, smooth and in groups."""

import dataclasses

import numpy as np
from jaxtyping import Float, Float64

from ecgmae_jax.evaluation.statistics.intervals import Estimate
from ecgmae_jax.evaluation.statistics.proportions import wilson

# Share of the records that each point of the curve looks at (Austin and Steyerberg 2014).
SPAN = 0.75
_POINTS = 60


@dataclasses.dataclass(frozen=True)
class Group:
    """Records with neighbouring predictions."""

    records: int
    positives: int
    predicted: float
    observed: Estimate


def smooth_curve(
    truth: Float[np.ndarray, " b"], probabilities: Float[np.ndarray, " b"]
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Predictions, ascending between the least and the greatest, and the share observed there."""
    at = np.unique(np.quantile(probabilities, np.linspace(0, 1, _POINTS))).astype(np.float64)
    return at, np.clip(local_linear(probabilities, truth, at=at, span=SPAN), 0.0, 1.0)


def local_linear(
    x: Float[np.ndarray, " b"],
    y: Float[np.ndarray, " b"],
    *,
    at: Float[np.ndarray, " m"],
    span: float,
) -> Float64[np.ndarray, " m"]:
    """Cleveland's loess (1979) of degree one without robustness steps.

    Each point is a line fitted to the nearest share `span` of the records, with tricube weights; a
    mean where those all have the same `x`.
    """
    nearest = max(2, int(span * len(x) + 1e-10))
    fitted = np.empty(len(at))
    for i, point in enumerate(at):
        distance = np.abs(x - point)
        width = np.partition(distance, min(nearest, len(x)) - 1)[min(nearest, len(x)) - 1]
        weight = (
            (1 - np.minimum(distance / width, 1.0) ** 3) ** 3 if width > 0 else distance == 0
        ).astype(np.float64)
        centre = np.average(x, weights=weight)
        spread = float(weight @ (x - centre) ** 2)
        slope = float(weight @ ((x - centre) * y)) / spread if spread > 1e-18 else 0.0
        fitted[i] = np.average(y, weights=weight) + slope * (point - centre)
    return fitted


def integrated_index(
    probabilities: Float[np.ndarray, " b"],
    curve: tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]],
) -> float:
    """Mean distance of the smooth curve from the predictions (ICI; Austin and Steyerberg 2019)."""
    return float(np.mean(np.abs(np.interp(probabilities, *curve) - probabilities)))


def grouped(
    truth: Float[np.ndarray, " b"],
    probabilities: Float[np.ndarray, " b"],
    *,
    num_groups: int,
    confidence: float,
) -> list[Group]:
    """Up to `num_groups` groups of about as many records, equal predictions kept together."""
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, num_groups + 1)[1:-1]))
    which = np.searchsorted(edges, probabilities, side="left")
    groups = []
    for i in np.unique(which):
        rows = which == i
        positives = int(truth[rows].sum())
        groups.append(
            Group(
                records=int(rows.sum()),
                positives=positives,
                predicted=float(probabilities[rows].mean()),
                observed=wilson(positives, int(rows.sum()), confidence=confidence),
            )
        )
    return groups
