"""Continuous outcomes from frozen embeddings: ridge regression."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
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
