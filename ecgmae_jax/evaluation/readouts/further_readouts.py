"""Other ways to read frozen features than logistic regression, judged on the same test records."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.readouts.attentive_probe import (
    AttentiveSettings,
    attentive_probabilities,
)
from ecgmae_jax.evaluation.readouts.batchnorm_probe import batchnorm_probabilities
from ecgmae_jax.evaluation.readouts.nearest_neighbours import neighbour_probabilities
from ecgmae_jax.evaluation.readouts.pooling import regions_of
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, TaskResult, known_rows
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples

READOUTS = ("neighbours", "batchnorm", "attentive")


def readout_rows(
    embeddings: Mapping[str, Embeddings],
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    *,
    task: str,
    result: TaskResult,
    readouts: Mapping[str, Mapping[str, Any]],
    settings: ProbeSettings,
) -> list[dict[str, Any]]:
    """Figures of every row that a further readout reads, as plain values for JSON.

    Records, classes and resamples are those of the logistic probes in `result`; differences are
    to its first row.

    Args:
        embeddings: row -> one line per record, the same records in the same order.
        parts: `train` and `test`, free of common patients.
        task: a name in every row's labels.
        result: of the logistic probes.
        readouts: readout -> `rows`, which it reads, and its own settings.
        settings: of resamples and seed.
    """
    first = next(iter(embeddings.values()))
    train = known_rows(first.labels[task], parts["train"])
    reference = next(iter(result.probabilities))
    found = {
        (row, readout): read_with(
            readout,
            embeddings[row],
            train,
            result.test_rows,
            task=task,
            classes=result.classes,
            seed=settings.seed,
            how={name: value for name, value in readouts[readout].items() if name != "rows"},
        )
        for readout in READOUTS
        if readout in readouts
        for row in readouts[readout]["rows"]
    }
    if not found:
        return []
    resamples = patient_resamples(
        first.frame["group"].to_numpy(str)[result.test_rows],
        result.truth,
        num_resamples=settings.num_resamples,
        seed=settings.seed,
    )
    compared = compare_encoders(
        result.truth,
        {reference: result.probabilities[reference]}
        | {f"{row}, {readout}": scores for (row, readout), scores in found.items()},
        resamples,
        classes=result.classes,
        confidence=settings.confidence,
    )
    return [
        {"row": row, "readout": readout} | compared[f"{row}, {readout}"] for row, readout in found
    ]


def read_with(
    readout: str,
    embeddings: Embeddings,
    train: Int[np.ndarray, " n"],
    test: Int[np.ndarray, " m"],
    *,
    task: str,
    classes: Sequence[str],
    seed: int,
    how: Mapping[str, Any],
) -> Float64[np.ndarray, "m k"]:
    """Probabilities of the test records by one readout fitted on the training records.

    Args:
        readout: `neighbours`, `batchnorm` or `attentive`, which needs rows of regional means.
        embeddings: one line per record.
        train: positions of records with a known truth.
        test: positions of records.
        task: a name in the labels.
        classes: those in question.
        seed: of weights, order and held-out patients.
        how: the readout's own settings.

    Raises:
        InputError: another readout, or an attentive one of features that are not tokens.
    """
    labels = embeddings.labels[task]
    truth = labels.values[train][:, [labels.classes.index(name) for name in classes]]
    features, queries = embeddings.matrix[train], embeddings.matrix[test]
    match readout:
        case "neighbours":
            return neighbour_probabilities(features, truth, queries, **how)
        case "batchnorm":
            return batchnorm_probabilities(
                features, truth, queries, exclusive=labels.exclusive, seed=seed, **how
            )
        case "attentive":
            rows, columns = regions_of(embeddings.metadata["pooling"])
            return attentive_probabilities(
                features,
                truth,
                queries,
                embeddings.frame["group"].to_numpy(str)[train],
                num_tokens=rows * columns,
                exclusive=labels.exclusive,
                settings=AttentiveSettings(**how),
                seed=seed,
            )
        case _:
            raise InputError(f"config.readouts names {readout!r}; there are {READOUTS}")
