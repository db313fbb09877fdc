"""From a model's values for pictures to figures for records."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import describe_part
from ecgmae_jax.evaluation.embeddings import Embeddings, Labels
from ecgmae_jax.evaluation.publishing import csv_bytes, publish
from ecgmae_jax.evaluation.statistics.outcome_measures import (
    NumericTruth,
    compare_measures,
    outcome_measures,
    outcome_weights,
)


def judge_number(
    pictures: Embeddings,
    *,
    rule: str,
    task: str,
    model: str,
    settings: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """The figures of `agreement_measures` over the test records with a known value.

    Args:
        pictures: with the values and, as their vectors, the model's answers.
        rule: how the answers for a record's pictures become one: `mean` or `max`.
        task: what is predicted.
        model: name of the row.
        settings: `resamples` and `confidence` of the patient bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: fewer than two test records have a value.
    """
    records = aggregate_records(pictures, rule=rule)
    truth = NumericTruth(records.numbers[task])
    known = truth.known
    if known.sum() < 2:
        raise InputError(
            f"{task!r}: {int(known.sum())} test records have a value; choose a split with more"
        )
    judged = truth.only(known)
    weights = outcome_weights(
        judged,
        records.frame["group"].to_numpy(str)[known],
        num_resamples=settings["resamples"],
        seed=seed,
    )
    predictions = records.matrix[known, 0].astype(np.float64)
    measures = {model: outcome_measures(judged, predictions, weights)}
    nobody = Labels((), False, False, np.zeros((len(records), 0), np.float32))
    return {
        "task": task,
        "type": truth.kind,
        "aggregation": rule,
        "cohort": describe_part(records.frame, nobody, known),
        "without_value": int((~known).sum()),
        "bootstrap": {"unit": "patient", "seed": seed, **settings},
        "rows": compare_measures(measures, confidence=settings["confidence"]),
    }


def publish_number(
    workdir: pathlib.Path, table: pd.DataFrame, metrics: Mapping[str, Any], *, model: str
) -> None:
    """Writes predictions.csv and metrics.json, and prints the chief figures."""
    publish(
        workdir,
        {
            "predictions.csv": csv_bytes(table),
            "metrics.json": json.dumps(metrics, indent=2, allow_nan=False).encode(),
        },
    )
    row, cohort = metrics["rows"][model], metrics["cohort"]
    figures = ", ".join(f"{name} {_text(row[key])}" for name, key in (("R2", "r2"), ("MAE", "mae")))
    print(
        f"{model}, {metrics['task']}: {figures}, {cohort['records']} records of "
        f"{cohort['patients']} patients"
    )
    print(f"figures: {workdir / 'metrics.json'}  predictions: {workdir / 'predictions.csv'}")


def _text(estimate: Mapping[str, float | None]) -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None:
        return "undefined"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
