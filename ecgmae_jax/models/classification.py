"""Losses and probabilities of classes that exclude each other and of classes that do not."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from ecgmae_jax.errors import InputError

# A class of one patient in ten thousand would otherwise outweigh all others together.
_LARGEST_WEIGHT = 50.0


def class_weights(
    labels: Float[np.ndarray, "n k"], *, kind: str, exclusive: bool
) -> Float32[np.ndarray, " k"]:
    """The weight of each class's positives in the loss, from the training labels.

    Args:
        labels: 0 or 1, rows of NaN where unknown.
        kind: `none` for 1 everywhere, or `balanced`: inversely to the class's frequency, so that
            all classes (exclusive) or both answers to each question (not exclusive) weigh the
            same; at most 50.
        exclusive: whether one class holds per example.
    """
    if kind not in ("none", "balanced"):
        raise InputError(f"class_weights is {kind!r}; choose none or balanced")
    known = labels[~np.isnan(labels).any(axis=1)]
    if kind == "none" or not len(known):
        return np.ones(labels.shape[1], np.float32)
    positives = np.maximum(known.sum(axis=0), 1)
    others = len(known) / labels.shape[1] if exclusive else len(known) - positives
    return np.clip(others / positives, 1 / _LARGEST_WEIGHT, _LARGEST_WEIGHT).astype(np.float32)


def classification_losses(
    scores: Float32[Array, "b k"],
    labels: Float32[Array, "b k"],
    *,
    weights: Float32[Array, " k"],
    focal_gamma: float = 0.0,
    exclusive: bool,
) -> tuple[Float32[Array, " b"], Float32[Array, " b"]]:
    """Each example's cross-entropy, and 1 where its label is known (0, and loss 0, where not).

    Softmax over exclusive classes; else the mean over classes of the sigmoid's, where a class's
    weight multiplies what its positives contribute. Labels may be soft.

    Args:
        focal_gamma: each logarithm of a probability p counts (1 - p)^gamma, so that answers which
            are right already count little (Lin et al. 2017); published is 2, and 0 is
            cross-entropy.
    """
    known = ~jnp.isnan(labels).any(axis=1)
    labels = jnp.where(known[:, None], labels, 0.0)
    weights = weights[None]
    if exclusive:
        logs = jax.nn.log_softmax(scores)
        losses = -jnp.sum(weights * labels * _focal(logs, gamma=focal_gamma), axis=1)
    else:
        yes, no = (_focal(jax.nn.log_sigmoid(s), gamma=focal_gamma) for s in (scores, -scores))
        losses = -jnp.mean(weights * labels * yes + (1 - labels) * no, axis=1)
    return jnp.where(known, losses, 0.0), known.astype(jnp.float32)


def _focal(logs: Float32[Array, "b k"], *, gamma: float) -> Float32[Array, "b k"]:
    """Logarithms of probabilities p, each times (1 - p)^gamma."""
    if gamma < 0:
        raise InputError(f"focal_gamma is {gamma}; expected 0 for cross-entropy, or more")
    # -expm1 is 1 - p without cancellation; at p = 1 a power below 1 has no finite slope.
    return logs * jnp.maximum(-jnp.expm1(logs), 1e-12) ** gamma if gamma else logs


def probabilities(scores: Float32[Array, "b k"], *, exclusive: bool) -> Float32[Array, "b k"]:
    """The probability of each class."""
    return jax.nn.softmax(scores) if exclusive else jax.nn.sigmoid(scores)
