"""How good a classifier is on the validation records while it is trained."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records, check_rule
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.statistics.discrimination import auroc, labels_with
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.programs import classifiers, judgement
from ecgmae_jax.programs.averaging import judged
from ecgmae_jax.training.loop import Evaluator

METRIC = "validation_auroc"


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


def make_evaluator(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    validation: Dataset,
    *,
    task: str,
    aggregation: str,
    batch_size: int,
    compute: Compute,
) -> Evaluator:
    """Macro AUROC over the records of a split, by which the best state is chosen.

    Its parameters are those of `averaging.with_average`. `aggregation` says how the probabilities
    of a record's pictures become one.

    Raises:
        InputError: no label has both classes, or no such rule of aggregation.
    """
    check_rule(aggregation)
    frame, labels = judgement.record_columns(validation), judgement.labels_of([validation], task)
    known = ~np.isnan(labels.values).any(axis=1)
    if not labels_with(labels.values[known]).any():
        raise InputError(
            f"label {task!r}: of {int(known.sum())} validation pictures none or all have each of "
            f"{list(labels.classes)}; choose a validation split with both kinds"
        )
    function = classifiers.make_probabilities(
        config, specification, exclusive=labels.exclusive, compute=compute
    )

    def evaluator(params: Params) -> dict[str, float]:
        found = classifiers.predict_split(
            functools.partial(function, judged(params)),
            validation,
            specification,
            batch_size=batch_size,
        )
        records = aggregate_records(Embeddings(frame, {task: labels}, found, {}), rule=aggregation)
        return {METRIC: macro_auroc(records.labels[task].values, records.matrix)}

    return evaluator
