"""What a fine-tuned classifier says of the records of a run: predictions.csv and metrics.json."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.readouts.task import TaskResult
from ecgmae_jax.evaluation.reporting.predictions import predictions_table
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.programs import judgement
from ecgmae_jax.programs.classifiers import Finetuned, predict_pictures

MODEL = "fine-tuned"
FOLD = "fold"


class RunResults(NamedTuple):
    """Pictures with their probabilities, as `predict_parts` gives them.

    Attributes:
        test: those that neither the parameters nor the choice among them has seen.
        further: other parts by name, such as validation, on which thresholds are fixed.
        facts: what metrics.json says of the training.
    """

    test: Embeddings
    further: Mapping[str, Embeddings]
    facts: Mapping[str, Any]


def predict_parts(
    model: Finetuned, datasets: Sequence[Dataset], *, batch_size: int, compute: Compute
) -> Embeddings:
    """The pictures of some splits with their truth and, as their vectors, their probabilities."""
    found = [
        predict_pictures(model, dataset, batch_size=batch_size, compute=compute)
        for dataset in datasets
    ]
    return predicted_pictures(datasets, found, task=model.task)


def predicted_pictures(
    datasets: Sequence[Dataset], probabilities: Sequence[np.ndarray], *, task: str
) -> Embeddings:
    """As `predict_parts`, of probabilities that are there already."""
    frames = [judgement.record_columns(dataset) for dataset in datasets]
    return Embeddings(
        pd.concat(frames, ignore_index=True),
        {task: judgement.labels_of(datasets, task)},
        np.concatenate(probabilities).astype(np.float32),
        {},
    )


def record_rows(pictures: Embeddings, *, part: str, task: str, aggregation: str) -> pd.DataFrame:
    """The rows of predictions.csv, one per record, also where the truth is unknown.

    They name the fold where the pictures do.
    """
    records = aggregate_records(pictures, rule=aggregation)
    labels = records.labels[task]
    result = TaskResult(
        classes=labels.classes,
        test_rows=np.arange(len(records)),
        truth=labels.values,
        probabilities={MODEL: records.matrix.astype(np.float64)},
        probes={},
        metrics={},
    )
    table = predictions_table(
        records.frame,
        {part: np.ones(len(records), bool)},
        records.labels,
        {task: result},
        encoders=[MODEL],
    )
    if FOLD in records.frame:
        table.insert(list(table.columns).index("part"), FOLD, records.frame[FOLD].to_numpy())
    return table


def publish_results(
    workdir: pathlib.Path,
    results: RunResults,
    *,
    task: str,
    aggregation: str,
    bootstrap: Mapping[str, Any],
    seed: int,
    facts: Mapping[str, Any],
) -> None:
    """Writes predictions.csv of all parts, and the figures of the test part as metrics.json.

    Args:
        workdir: of the run.
        results: of the run.
        task: what is predicted.
        aggregation: how the probabilities of a record's pictures become one.
        bootstrap: `resamples` and `confidence` of the patient bootstrap.
        seed: of the bootstrap.
        facts: go into metrics.json besides those of the results.
    """
    test = results.test
    _, metrics = judgement.judge(
        test.frame,
        test.labels[task],
        test.matrix,
        rule=aggregation,
        probabilities=np.asarray,
        task=task,
        model=MODEL,
        settings=bootstrap,
        seed=seed,
    )
    table = pd.concat(
        [
            record_rows(pictures, part=part, task=task, aggregation=aggregation)
            for part, pictures in {**results.further, "test": test}.items()
        ],
        ignore_index=True,
    )
    if jax.process_index() == 0:
        judgement.publish_judgement(
            workdir, table, {**metrics, **facts, **results.facts}, model=MODEL
        )
