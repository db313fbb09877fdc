"""L2 logistic regression for many targets and penalties at once.

One label, one C at a time is what scikit-learn offers; a probe with cross-validation solves some
hundred such problems over the same features, and sharing the matrix products between them is more
than ten times faster (docs/benchmarks.md).
"""

import numpy as np
from jaxtyping import Float64
from scipy.special import expit

from ecgmae_jax.errors import InputError

_NEWTON_STEPS = 100
_CONJUGATE_STEPS = 40
_HALVINGS = 30


def fit_logistic(
    features: Float64[np.ndarray, "b d"],
    targets: Float64[np.ndarray, "b k"],
    *,
    inverse_penalties: Float64[np.ndarray, " m"],
    tolerance: float = 1e-6,
) -> tuple[Float64[np.ndarray, "m k d"], Float64[np.ndarray, "m k"]]:
    """The coefficients and intercepts of every target at every inverse penalty C.

    Minimises sum(log loss) + |w|^2 / (2 C), the intercept free, as scikit-learn's
    `LogisticRegression` does. Newton's method, its linear systems solved by conjugate gradients
    (Nocedal and Wright 2006, algorithm 7.1) in the principal axes of the features, where the
    Hessian is nearly diagonal. Of more features than rows only the rows' span matters, and all is
    done in its coordinates. Targets are 0 or 1 and every column holds both; the largest entry of a
    gradient ends below `tolerance` times the number of rows.

    Raises:
        InputError: the gradient does not vanish, which happens with features far from unit scale.
    """
    if features.shape[1] > len(features):
        span, triangle = np.linalg.qr(features.T)
        coefficients, intercepts = fit_logistic(
            np.ascontiguousarray(triangle.T),
            targets,
            inverse_penalties=inverse_penalties,
            tolerance=tolerance,
        )
        return coefficients @ span.T, intercepts
    num_rows, width = features.shape
    num_targets, num_penalties = targets.shape[1], len(inverse_penalties)
    eigenvalues, axes = np.linalg.eigh(features.T @ features)
    design = np.concatenate([features @ axes, np.ones((num_rows, 1))], axis=1)
    curvature = np.append(np.maximum(eigenvalues, 0.0), num_rows)[:, None]
    ridge = np.repeat(1.0 / inverse_penalties, num_targets) * np.ones((width + 1, 1))
    ridge[-1] = 0.0
    truth = np.tile(targets, num_penalties)

    weights = np.zeros((width + 1, num_penalties * num_targets))
    rate = targets.mean(axis=0)
    weights[-1] = np.tile(np.log(rate / (1 - rate)), num_penalties)
    active = np.arange(weights.shape[1])
    for _ in range(_NEWTON_STEPS):
        part, logits = weights[:, active], design @ weights[:, active]
        probability = expit(logits)
        gradient = design.T @ (probability - truth[:, active]) + ridge[:, active] * part
        open_ = np.abs(gradient).max(axis=0) > tolerance * num_rows
        active, part, logits = active[open_], part[:, open_], logits[:, open_]
        if not len(active):
            break
        variance = (probability * (1 - probability))[:, open_]
        step = _newton_step(
            design, variance, gradient[:, open_], ridge=ridge[:, active], curvature=curvature
        )
        length = _step_lengths(
            part, step, logits, design @ step, truth=truth[:, active], ridge=ridge[:, active]
        )
        weights[:, active] = part + length * step
    else:
        raise InputError(
            f"logistic regression: {len(active)} of {weights.shape[1]} fits did not converge in "
            f"{_NEWTON_STEPS} Newton steps; standardise the features or lower the largest C"
        )
    coefficients = (axes @ weights[:-1]).T.reshape(num_penalties, num_targets, width)
    return coefficients, weights[-1].reshape(num_penalties, num_targets)


def _newton_step(
    design: Float64[np.ndarray, "b p"],
    variance: Float64[np.ndarray, "b q"],
    gradient: Float64[np.ndarray, "p q"],
    *,
    ridge: Float64[np.ndarray, "p q"],
    curvature: Float64[np.ndarray, "p 1"],
) -> Float64[np.ndarray, "p q"]:
    """The solution of `Hessian @ step = -gradient`, a column per problem, ever more precise."""
    diagonal = curvature * variance.mean(axis=0) + ridge + np.finfo(float).eps
    step = np.zeros_like(gradient)
    residual = -gradient
    size = np.linalg.norm(gradient, axis=0)
    goal = np.minimum(0.1, np.sqrt(size / len(design))) * size
    scaled = residual / diagonal
    direction, product = scaled, (residual * scaled).sum(axis=0)
    for _ in range(_CONJUGATE_STEPS):
        image = design.T @ (variance * (design @ direction)) + ridge * direction
        energy = np.maximum((direction * image).sum(axis=0), np.finfo(float).tiny)
        # Columns that have arrived stand still while the others go on.
        rate = np.where(np.linalg.norm(residual, axis=0) > goal, product / energy, 0.0)
        step = step + rate * direction
        residual = residual - rate * image
        if not rate.any():
            break
        scaled = residual / diagonal
        previous, product = product, (residual * scaled).sum(axis=0)
        direction = scaled + product / np.maximum(previous, np.finfo(float).tiny) * direction
    return step


def _step_lengths(
    weights: Float64[np.ndarray, "p q"],
    step: Float64[np.ndarray, "p q"],
    logits: Float64[np.ndarray, "b q"],
    change: Float64[np.ndarray, "b q"],
    *,
    truth: Float64[np.ndarray, "b q"],
    ridge: Float64[np.ndarray, "p q"],
) -> Float64[np.ndarray, " q"]:
    """1, or the largest power of one half that does not raise the objective."""

    def objective(length: Float64[np.ndarray, " q"]) -> Float64[np.ndarray, " q"]:
        moved, scores = weights + length * step, logits + length * change
        losses = np.logaddexp(0.0, scores) - truth * scores
        return losses.sum(axis=0) + 0.5 * (ridge * moved**2).sum(axis=0)

    length = np.ones(weights.shape[1])
    before = objective(np.zeros_like(length))
    # Near the minimum the objective no longer resolves the step; rounding is not a rise.
    allowed = before + 1e-10 * np.abs(before)
    for _ in range(_HALVINGS):
        rises = objective(length) > allowed
        if not rises.any():
            break
        length = np.where(rises, length / 2, length)
    return length
