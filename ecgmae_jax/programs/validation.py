"""How good a model is on the validation records while it is fine-tuned."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records, check_rule
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.statistics.discrimination import auroc, labels_with
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.programs import classifiers
from ecgmae_jax.programs.averaging import judged
from ecgmae_jax.programs.judgement import unanswered_pictures
from ecgmae_jax.training.loop import Evaluator

METRIC, NUMBER_METRIC = "validation_auroc", "validation_r2"


def macro_auroc(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean AUROC over the labels that have both classes, NaN where none has.

    Args:
        truth: (b, k), 0 or 1; rows with NaN are left out.
        probabilities: (b, k).
    """
    known = ~np.isnan(truth).any(axis=1)
    columns = np.flatnonzero(labels_with(truth[known]))
    areas = [auroc(truth[known, k], probabilities[known, k]) for k in columns]
    return float(np.mean(areas)) if areas else float("nan")


def explained_share(values: np.ndarray, predictions: np.ndarray) -> float:
    """R² of the predictions over the records whose value is known."""
    known = ~np.isnan(values)
    return float(r2_score(values[known], predictions[known]))


def make_evaluator(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    validation: Dataset,
    *,
    task: str,
    aggregation: str,
    batch_size: int,
    compute: Compute,
    scale: tuple[float, float] | None = None,
) -> Evaluator:
    """The figure over the records of a split by which the best state is chosen.

    It is the macro AUROC, or R² of an outcome that is a value, whose `scale` is given. Its
    parameters are those of `averaging.with_average`. `aggregation` says how the answers for a
    record's pictures become one.

    Raises:
        InputError: no label has both classes, no two values differ, or no such rule of aggregation.
    """
    check_rule(aggregation)
    pictures = unanswered_pictures([validation], task)
    _require_two_kinds(pictures, task)
    function = classifiers.make_answers(
        config,
        specification,
        exclusive=task in pictures.labels and pictures.labels[task].exclusive,
        compute=compute,
        scale=scale,
    )

    def evaluator(params: Params) -> dict[str, float]:
        found = classifiers.predict_split(
            functools.partial(function, judged(params)),
            validation,
            specification,
            batch_size=batch_size,
        )
        records = aggregate_records(dataclasses.replace(pictures, matrix=found), rule=aggregation)
        if task in records.numbers:
            return {NUMBER_METRIC: explained_share(records.numbers[task], records.matrix[:, 0])}
        return {METRIC: macro_auroc(records.labels[task].values, records.matrix)}

    return evaluator


def _require_two_kinds(pictures: Embeddings, task: str) -> None:
    if task in pictures.numbers:
        values = pictures.numbers[task]
        if len(np.unique(values[~np.isnan(values)])) < 2:
            raise InputError(
                f"{task!r}: no two validation pictures have different values; choose another "
                "validation split"
            )
        return
    labels = pictures.labels[task]
    known = ~np.isnan(labels.values).any(axis=1)
    if not labels_with(labels.values[known]).any():
        raise InputError(
            f"label {task!r}: of {int(known.sum())} validation pictures none or all have each of "
            f"{list(labels.classes)}; choose a validation split with both kinds"
        )
