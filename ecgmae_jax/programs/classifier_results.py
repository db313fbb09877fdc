"""What a fine-tuned model says of the records of a run: predictions.csv and metrics.json."""

import dataclasses
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
from ecgmae_jax.evaluation.reporting.number_columns import number_columns
from ecgmae_jax.evaluation.reporting.predictions import predictions_table
from ecgmae_jax.evaluation.statistics.outcome_measures import NumericTruth
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.programs import judgement, number_judgement
from ecgmae_jax.programs.classifiers import Finetuned, predict_pictures

MODEL = "fine-tuned"
FOLD = "fold"


class RunResults(NamedTuple):
    """Pictures with the answers to them, as `predict_parts` gives them.

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
    """The pictures of some splits with their truth and, as their vectors, the model's answers."""
    found = [
        predict_pictures(model, dataset, batch_size=batch_size, compute=compute)
        for dataset in datasets
    ]
    return predicted_pictures(datasets, found, task=model.task)


def predicted_pictures(
    datasets: Sequence[Dataset], answers: Sequence[np.ndarray], *, task: str
) -> Embeddings:
    """As `predict_parts`, of answers that are there already."""
    matrix = np.concatenate(answers).astype(np.float32)
    return dataclasses.replace(judgement.unanswered_pictures(datasets, task), matrix=matrix)


def record_rows(pictures: Embeddings, *, part: str, task: str, aggregation: str) -> pd.DataFrame:
    """The rows of predictions.csv, one per record, also where the truth is unknown.

    They name the fold where the pictures do.
    """
    records = aggregate_records(pictures, rule=aggregation)
    answers, every = records.matrix.astype(np.float64), np.ones(len(records), bool)
    results, numbers = {}, []
    if task in records.numbers:
        truth = NumericTruth(records.numbers[task])
        numbers = [number_columns(task, truth, {MODEL: answers[:, 0]})]
    else:
        labels = records.labels[task]
        results[task] = TaskResult(
            labels.classes, np.arange(len(records)), labels.values, {MODEL: answers}, {}, {}
        )
    table = predictions_table(
        records.frame, {part: every}, records.labels, results, encoders=[MODEL], numbers=numbers
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
    settings = {"task": task, "rule": aggregation, "settings": bootstrap, "seed": seed}
    is_number = task in test.numbers
    if is_number:
        metrics = number_judgement.judge_number(test, model=MODEL, **settings)
    else:
        _, metrics = judgement.judge(
            test.frame,
            test.labels[task],
            test.matrix,
            probabilities=np.asarray,
            model=MODEL,
            **settings,
        )
    table = pd.concat(
        [
            record_rows(pictures, part=part, task=task, aggregation=aggregation)
            for part, pictures in {**results.further, "test": test}.items()
        ],
        ignore_index=True,
    )
    if jax.process_index() == 0:
        publish = number_judgement.publish_number if is_number else judgement.publish_judgement
        publish(workdir, table, {**metrics, **facts, **results.facts}, model=MODEL)
