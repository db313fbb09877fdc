"""Nearest neighbours: what the training records most like a record have, without any fitting."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from ecgmae_jax.errors import InputError

_ROWS_PER_BLOCK = 512


def neighbour_probabilities(
    features: Float32[np.ndarray, "b d"],
    truth: Float[np.ndarray, "b k"],
    queries: Float32[np.ndarray, "q d"],
    *,
    neighbours: int,
    temperature: float,
) -> Float64[np.ndarray, "q k"]:
    """The weighted share of a query's nearest training records that have each class.

    Nearest by the cosine of features that are centred and scaled by the training records' mean and
    standard deviation, weighted by exp(cosine / temperature) as in Wu et al. 2018 (section 3.4).
    Of records equally near, the earlier counts.

    Args:
        features: of the training records.
        truth: 0 or 1.
        queries: features of the records to judge.
        neighbours: how many count.
        temperature: small lets the nearest rule.

    Raises:
        InputError: more neighbours than training records.
    """
    if not 1 <= neighbours <= len(features):
        raise InputError(
            f"{neighbours} neighbours asked for, there are {len(features)} training records; "
            "choose fewer"
        )
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    stored, asked = (_on_sphere((rows - mean) / scale) for rows in (features, queries))
    found = []
    for first in range(0, len(asked), _ROWS_PER_BLOCK):
        cosine = asked[first : first + _ROWS_PER_BLOCK] @ stored.T
        nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :neighbours]
        cosine = np.take_along_axis(cosine, nearest, axis=1)
        weights = np.exp((cosine - cosine[:, :1]) / temperature)
        weights /= weights.sum(axis=1, keepdims=True)
        found.append(np.einsum("qn,qnk->qk", weights, truth[nearest]))
    return np.concatenate(found)


def _on_sphere(rows: Float[np.ndarray, "b d"]) -> Float64[np.ndarray, "b d"]:
    """Rows of length one; a row of zeros stays one."""
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return rows / np.maximum(length, np.finfo(np.float64).tiny)
