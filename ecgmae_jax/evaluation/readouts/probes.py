"""Linear probes: L2 logistic regression on frozen embeddings."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.logistic import fit_logistic

MIN_PATIENTS = 2


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """One logistic regression per class, on features standardised by `mean` and `scale`.

    Attributes:
        exclusive: the classes exclude each other: probabilities are divided by their sum.
        chosen_c: inverse penalty of each class.
        metadata: JSON-able facts needed to use it elsewhere: task, encoder, pooling, ...
    """

    classes: tuple[str, ...]
    exclusive: bool
    mean: Float64[np.ndarray, " d"]
    scale: Float64[np.ndarray, " d"]
    coefficients: Float64[np.ndarray, "k d"]
    intercept: Float64[np.ndarray, " k"]
    chosen_c: Float64[np.ndarray, " k"]
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def fittable_classes(truth: Float[np.ndarray, "b k"], groups: np.ndarray) -> Bool[np.ndarray, " k"]:
    """Which classes at least two patients have and at least two patients have not."""
    with_, without = _patients_with(truth, groups), _patients_with(1 - truth, groups)
    return np.minimum(with_, without) >= MIN_PATIENTS


def fit_probe(
    features: Float32[np.ndarray, "b d"],
    truth: Float[np.ndarray, "b k"],
    groups: np.ndarray,
    *,
    classes: Sequence[str],
    exclusive: bool,
    grid: Sequence[float],
    num_folds: int,
    seed: int,
    metadata: Mapping[str, Any],
) -> Probe:
    """One-versus-rest logistic regressions, each with the C of least held-out log loss.

    Folds keep patients whole and are stratified by each record's rarest class; standardisation is
    fitted on the training part of each fold. One-versus-rest serves exclusive classes too, so that
    every class has a C of its own. `truth` is 0 or 1, `groups` each record's patient, `grid` the
    values of C.

    Raises:
        InputError: a class with a single value, or fewer than two patients.
    """
    constant = ~fittable_classes(truth, groups)
    if constant.any():
        raise InputError(
            f"classes {[c for c, bad in zip(classes, constant, strict=True) if bad]} have fewer "
            f"than {MIN_PATIENTS} training patients with or without them; leave them out"
        )
    penalties = np.sort(np.asarray(grid, dtype=np.float64))
    best = np.zeros(len(classes), int)
    if len(penalties) > 1:
        best = held_out_losses(
            features, truth, groups, grid=penalties, num_folds=num_folds, seed=seed
        ).argmin(axis=0)
    used, which = np.unique(best, return_inverse=True)
    scaler = StandardScaler().fit(features.astype(np.float64))
    coefficients, intercepts = fit_logistic(
        np.asarray(scaler.transform(features.astype(np.float64))),
        truth.astype(np.float64),
        inverse_penalties=penalties[used],
    )
    each = np.arange(len(classes))
    return Probe(
        classes=tuple(classes),
        exclusive=exclusive,
        mean=np.asarray(scaler.mean_),
        scale=np.asarray(scaler.scale_),
        coefficients=coefficients[which, each],
        intercept=intercepts[which, each],
        chosen_c=penalties[best],
        metadata=metadata,
    )


def predict(probe: Probe, features: Float32[np.ndarray, "b d"]) -> Float64[np.ndarray, "b k"]:
    """The probability of each class for each row."""
    if features.shape[1] != len(probe.mean):
        raise InputError(
            f"the probe was fitted on {len(probe.mean)} features, these embeddings have "
            f"{features.shape[1]}; use the encoder and pooling that it was fitted with"
        )
    scores = (features - probe.mean) / probe.scale @ probe.coefficients.T + probe.intercept
    probabilities = expit(scores)
    if probe.exclusive:
        probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    return probabilities


def held_out_losses(
    features: Float32[np.ndarray, "b d"],
    truth: Float[np.ndarray, "b k"],
    groups: np.ndarray,
    *,
    grid: Float64[np.ndarray, " m"],
    num_folds: int,
    seed: int,
) -> Float64[np.ndarray, "m k"]:
    """Mean log loss of each class at each C over records of patients not trained on.

    A fold whose training part lacks a class says nothing about it and is left out of its mean.
    """
    total, count = np.zeros((len(grid), truth.shape[1])), np.zeros(truth.shape[1])
    matrix, labels = features.astype(np.float64), truth.astype(np.float64)
    for train, test in _patient_folds(truth, groups, num_folds=num_folds, seed=seed):
        usable = (labels[train].min(axis=0) < 1) & (labels[train].max(axis=0) > 0)
        scaler = StandardScaler().fit(matrix[train])
        fitted_on, held_out = (np.asarray(scaler.transform(matrix[rows])) for rows in (train, test))
        coefficients, intercepts = fit_logistic(
            fitted_on, labels[train][:, usable], inverse_penalties=grid
        )
        scores = held_out @ coefficients.transpose(0, 2, 1)
        scores += intercepts[:, None, :]
        losses = np.logaddexp(0.0, scores) - labels[test][:, usable] * scores
        total[:, usable] += losses.sum(axis=1)
        count[usable] += len(test)
    return total / count


def _patient_folds(
    truth: Float[np.ndarray, "b k"], groups: np.ndarray, *, num_folds: int, seed: int
) -> list[tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]]:
    rarity = np.where(truth > 0, -truth.sum(axis=0), -np.inf)
    stratum = np.where(truth.any(axis=1), rarity.argmax(axis=1), -1)
    num_folds = min(num_folds, len(np.unique(groups)))
    if np.unique(stratum, return_counts=True)[1].max() < num_folds:
        stratum = np.zeros_like(stratum)
    folds = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class rarer than the number of folds is spread as far as it goes.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(folds.split(np.zeros(len(truth)), stratum, groups))


def _patients_with(truth: Float[np.ndarray, "b k"], groups: np.ndarray) -> Int[np.ndarray, " k"]:
    return np.array([len(np.unique(groups[column > 0])) for column in truth.T])
