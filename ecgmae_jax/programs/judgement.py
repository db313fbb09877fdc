"""From a model's probabilities for pictures to figures for records: predictions and metrics."""

import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import describe_part
from ecgmae_jax.evaluation.comparison import compare_encoders
from ecgmae_jax.evaluation.discrimination import labels_with
from ecgmae_jax.evaluation.embeddings import COLUMNS, Embeddings, Labels
from ecgmae_jax.evaluation.intervals import patient_resamples
from ecgmae_jax.evaluation.predictions import predictions_table
from ecgmae_jax.evaluation.publishing import publish
from ecgmae_jax.evaluation.task import TaskResult
from ecgmae_jax.programs.inputs import truth_of


def record_columns(dataset: Dataset) -> pd.DataFrame:
    """What is known of each picture besides its pixels, one row per picture."""
    names = [name for name in COLUMNS if name != "split"]
    source = dataset.source.only(*names)
    rows = [source[i] for i in range(len(source))]
    return pd.DataFrame(rows, columns=names).assign(split=dataset.split)


def labels_of(datasets: Sequence[Dataset], task: str) -> Labels:
    """The truth of a task for all pictures of some splits, in their order."""
    label_set = datasets[0].label_set(task)
    values = np.concatenate([truth_of(dataset, task) for dataset in datasets])
    return Labels(label_set.classes, label_set.exclusive, label_set.empty_is_missing, values)


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
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of predictions and the figures, of records with a known label.

    Args:
        matrix: (n, d), what the model gives for each picture: features or probabilities.
        rule: how the rows of a record's pictures become one: `mean` or `max`.
        probabilities: from rows of records, (r, d), to their (r, k).
        model: name of the row.
        settings: `resamples` and `confidence` of the patient bootstrap.
    """
    pictures = Embeddings(frame, {task: labels}, matrix.astype(np.float32), {})
    records = aggregate_records(pictures, rule=rule)
    truth = records.labels[task]
    known = ~np.isnan(truth.values).any(axis=1)
    if not labels_with(truth.values[known]).any():
        raise InputError(
            f"label {task!r}: of {int(known.sum())} records none or all have each of "
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
        "without_label": int((~known).sum()),
        "bootstrap": {"unit": "patient", "seed": seed, **settings},
        "rows": rows,
    }
    result = TaskResult(
        truth.classes, np.flatnonzero(known), truth.values[known], scores, {}, metrics
    )
    parts = {"test": np.ones(len(records), bool)}
    table = predictions_table(
        records.frame, parts, records.labels, {task: result}, encoders=[model]
    )
    return table, metrics


def publish_judgement(
    workdir: pathlib.Path, table: pd.DataFrame, metrics: Mapping[str, Any], *, model: str
) -> None:
    """Writes predictions.csv and metrics.json, and prints the macro figures."""
    publish(
        workdir,
        {
            "predictions.csv": table.to_csv(index=False).encode(),
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
