"""Continuous outcomes from frozen embeddings: ridge regression, and what it is worth."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Float64, Shaped
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgmae_jax.errors import InputError


def fit_ridge(
    features: Float32[np.ndarray, "b d"],
    values: Float[np.ndarray, " b"],
    groups: np.ndarray,
    *,
    penalties: Sequence[float],
    num_folds: int,
    seed: int,
) -> GridSearchCV:
    """A ridge regression on standardised features, its penalty of least held-out squared error.

    Folds keep patients whole, and each standardises by its own training part. `best_params_` has
    the penalty, `predict` takes features as they are.

    Raises:
        InputError: fewer patients than folds, or values that are all the same.
    """
    patients = len(np.unique(groups))
    if patients < num_folds:
        raise InputError(
            f"{patients} training patients have a value, {num_folds} folds need as many; set "
            "fewer folds"
        )
    if np.ptp(values) == 0:
        raise InputError(
            f"all {len(values)} training records have the value {values[0]:g}; there is nothing "
            "to learn"
        )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge()),
        {"ridge__alpha": list(penalties)},
        scoring="neg_mean_squared_error",
        cv=GroupKFold(num_folds, shuffle=True, random_state=seed),
    )
    return search.fit(features.astype(np.float64), values, groups=groups)


def regression_measures(
    values: Float[np.ndarray, " b"],
    predictions: Float[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> dict[str, Float64[np.ndarray, " r"]]:
    """Figures of the predictions under many weightings of the same rows.

    `r2` is the share of variance explained (below 0 where the mean predicts better), `mae` the
    mean absolute error in the outcome's unit, `correlation` Pearson's.
    """
    weight = weights.astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    wrong = values - predictions

    def covariance(a: np.ndarray, b: np.ndarray) -> Float64[np.ndarray, " r"]:
        return weight @ (a * b) - (weight @ a) * (weight @ b)

    # About their means, so that large offsets cost no digits.
    value, prediction = values - values.mean(), predictions - predictions.mean()
    variance = covariance(value, value)
    spread = np.sqrt(variance * covariance(prediction, prediction))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "r2": 1 - (weight @ wrong**2) / variance,
            "mae": weight @ np.abs(wrong),
            "correlation": covariance(value, prediction) / spread,
        }
