"""Whether a map says anything: about these weights, and about what the answer hangs on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt16
from scipy.stats import spearmanr

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.intervals import percentile_interval

# From the patches to look at in each picture to the probability of its explained class.
Probability = Callable[[np.ndarray], np.ndarray]


def rank_correlations(
    values: Float[np.ndarray, "b n"], others: Float[np.ndarray, "b n"]
) -> Float[np.ndarray, " b"]:
    """Spearman's correlation of two maps of the same picture, over its patches."""
    return np.array([spearmanr(a, b).statistic for a, b in zip(values, others, strict=True)])


def hidden_most_first(
    probability: Probability, values: Float[np.ndarray, "b n"], *, shares: Sequence[float]
) -> Float[np.ndarray, "b m"]:
    """The probability when each share of the patches is hidden, those of largest value first."""
    order = np.argsort(-values, axis=1, kind="stable")
    return _with_hidden(probability, order, shares=shares)


def hidden_at_random(
    probability: Probability,
    shape: tuple[int, int],
    *,
    shares: Sequence[float],
    draws: int,
    seed: int,
) -> Float[np.ndarray, "b m"]:
    """The same for patches hidden at random, the mean of several draws; `shape` is (b, n)."""
    rng = np.random.default_rng(seed)
    ordered = np.broadcast_to(np.arange(shape[1]), shape)
    found = [
        _with_hidden(probability, rng.permuted(ordered, axis=1), shares=shares)
        for _ in range(draws)
    ]
    return np.mean(found, axis=0)


def check_shares(shares: Sequence[float]) -> None:
    """Raises InputError unless every share hides something and leaves something."""
    if not shares or not all(0 < share < 1 for share in shares):
        raise InputError(f"config.deletion.shares is {tuple(shares)}; give numbers between 0 and 1")


def described(
    values: Float[np.ndarray, " b"], weights: UInt16[np.ndarray, "r b"], *, confidence: float
) -> Mapping[str, Any]:
    """The mean with its interval over resampled patients, as plain values for JSON."""
    resampled = weights @ values / weights.sum(axis=1)
    estimate = percentile_interval(float(values.mean()), resampled, confidence=confidence)
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _with_hidden(
    probability: Probability, order: Int[np.ndarray, "b n"], *, shares: Sequence[float]
) -> Float[np.ndarray, "b m"]:
    num_patches = order.shape[1]
    columns = []
    for share in shares:
        hidden = min(max(round(share * num_patches), 1), num_patches - 1)
        columns.append(probability(order[:, hidden:]))
    return np.stack(columns, axis=1)
