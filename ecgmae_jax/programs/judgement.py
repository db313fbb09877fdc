"""From a model's probabilities for pictures to figures for records: predictions and metrics."""

import json
import pathlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.targets import NumberTarget, target_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import describe_part, part_rows
from ecgmae_jax.evaluation.embeddings import COLUMNS, FURTHER_COLUMNS, Embeddings, Labels
from ecgmae_jax.evaluation.publishing import csv_bytes, publish
from ecgmae_jax.evaluation.readouts.task import TaskResult
from ecgmae_jax.evaluation.reporting.predictions import Predicted, predictions_table
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.discrimination import labels_with
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.programs.inputs import truth_of, values_of


def record_columns(dataset: Dataset) -> pd.DataFrame:
    """What is known of each picture besides its pixels, one row per picture.

    Facts that only some datasets have, such as the device, are columns where the dataset has them.
    """
    more = [name for name in FURTHER_COLUMNS if name in dataset.source[0]]
    names = [*(name for name in COLUMNS if name != "split"), *more]
    source = dataset.source.only(*names)
    rows = [source[i] for i in range(len(source))]
    return pd.DataFrame(rows, columns=names).assign(split=dataset.split)


def labels_of(datasets: Sequence[Dataset], task: str) -> Labels:
    """The truth of a task for all pictures of some splits, in their order."""
    label_set = datasets[0].label_set(task)
    values = np.concatenate([truth_of(dataset, task) for dataset in datasets])
    return Labels(label_set.classes, label_set.exclusive, label_set.empty_is_missing, values)


def unanswered_pictures(datasets: Sequence[Dataset], task: str) -> Embeddings:
    """The pictures of some splits with their truth, labels or values, and no vectors yet."""
    frame = pd.concat([record_columns(one) for one in datasets], ignore_index=True)
    nothing = np.zeros((len(frame), 0), np.float32)
    target = target_of(datasets[0], task)
    if isinstance(target, NumberTarget):
        values = np.concatenate([values_of(one, target) for one in datasets])
        return Embeddings(frame, {}, nothing, {}, {task: values})
    return Embeddings(frame, {task: labels_of(datasets, task)}, nothing, {})


def judge(
    frame: pd.DataFrame,
    labels: Labels,
    matrix: np.ndarray,
    *,
    rule: str,
    probabilities: Callable[[np.ndarray], np.ndarray],
    task: str,
    model: str,
    settings: Mapping[str, Any],
    seed: int,
    validation: Collection[str] = (),
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of predictions, and the figures of test records with a known label.

    Args:
        matrix: (n, d), what the model gives for each picture: features or probabilities.
        rule: how the rows of a record's pictures become one: `mean` or `max`.
        probabilities: from rows of records, (r, d), to their (r, k).
        model: name of the row.
        settings: `resamples` and `confidence` of the patient bootstrap.
        validation: splits that thresholds may be fixed on. They are in the table as the part
            `validation` and in no figure; all other rows are the test part.
    """
    pictures = Embeddings(frame, {task: labels}, matrix.astype(np.float32), {})
    records = aggregate_records(pictures, rule=rule)
    truth = records.labels[task]
    held_out = records.frame["split"].isin(validation).to_numpy()
    parts = {"validation": held_out, "test": ~held_out}
    part_rows(records.frame, _splits_of(records.frame, parts))
    known = ~np.isnan(truth.values).any(axis=1) & parts["test"]
    if not labels_with(truth.values[known]).any():
        raise InputError(
            f"label {task!r}: of {int(known.sum())} test records none or all have each of "
            f"{list(truth.classes)}; choose a split with both kinds"
        )
    groups = records.frame["group"].to_numpy(str)[known]
    resamples = patient_resamples(
        groups, truth.values[known], num_resamples=settings["resamples"], seed=seed
    )
    scores = {model: probabilities(records.matrix[known]).astype(np.float64)}
    rows = compare_encoders(
        truth.values[known],
        scores,
        resamples,
        classes=truth.classes,
        confidence=settings["confidence"],
    )
    metrics = {
        "task": task,
        "classes": list(truth.classes),
        "aggregation": rule,
        "cohort": describe_part(records.frame, truth, known),
        "without_label": int((parts["test"] & ~known).sum()),
        "bootstrap": {"unit": "patient", "seed": seed, **settings},
        "rows": rows,
    }
    result = TaskResult(
        truth.classes, np.flatnonzero(known), truth.values[known], scores, {}, metrics
    )
    rest = np.flatnonzero(held_out)
    further = Predicted(rest, {model: probabilities(records.matrix[rest]).astype(np.float64)})
    table = predictions_table(
        records.frame,
        parts,
        records.labels,
        {task: result},
        encoders=[model],
        further={task: further},
    )
    return table, metrics


def _splits_of(frame: pd.DataFrame, parts: Mapping[str, np.ndarray]) -> dict[str, tuple[str, ...]]:
    return {
        part: tuple(frame["split"][rows].unique()) for part, rows in parts.items() if rows.any()
    }


def publish_judgement(
    workdir: pathlib.Path, table: pd.DataFrame, metrics: Mapping[str, Any], *, model: str
) -> None:
    """Writes predictions.csv and metrics.json, and prints the macro figures."""
    publish(
        workdir,
        {
            "predictions.csv": csv_bytes(table),
            "metrics.json": json.dumps(metrics, indent=2, allow_nan=False).encode(),
        },
    )
    macro, cohort = metrics["rows"][model]["macro"]["all"], metrics["cohort"]
    figures = ", ".join(
        f"{name.upper()} {macro[name]['value']:.3f}{_interval(macro[name])}"
        for name in ("auroc", "auprc")
    )
    print(
        f"{model}, {metrics['task']}: macro {figures} over {macro['labels']} labels, "
        f"{cohort['records']} records of {cohort['patients']} patients"
    )
    print(f"figures: {workdir / 'metrics.json'}  predictions: {workdir / 'predictions.csv'}")


def _interval(estimate: Mapping[str, float | None]) -> str:
    low, high = estimate["low"], estimate["high"]
    return "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
