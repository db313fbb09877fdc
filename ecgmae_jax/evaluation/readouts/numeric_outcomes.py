"""Outcomes that are numbers, from frozen embeddings: values by ridge, times to an event by Cox."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.readouts.regression import fit_ridge
from ecgmae_jax.evaluation.readouts.survival import cox_risk
from ecgmae_jax.evaluation.readouts.task import ProbeSettings
from ecgmae_jax.evaluation.statistics.outcome_measures import (
    NumericTruth,
    compare_measures,
    outcome_measures,
    outcome_weights,
)


@dataclasses.dataclass(frozen=True, eq=False)
class OutcomeResult:
    """What one numeric outcome gives.

    Attributes:
        truth: of all records.
        predictions: row -> of each record the value, or the log relative hazard; NaN for training
            records and where the outcome is unknown.
        metrics: plain values for JSON.
    """

    truth: NumericTruth
    predictions: Mapping[str, Float64[np.ndarray, " b"]]
    metrics: Mapping[str, Any]


def probe_outcome(
    encoders: Mapping[str, Embeddings],
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    *,
    name: str,
    settings: ProbeSettings,
) -> OutcomeResult:
    """Every encoder fitted to one numeric outcome on the part `train` and judged on `test`.

    An outcome with the numbers `<name>.time` and `<name>.event` is a time to an event: Cox
    regression, `c_index`. One with a number of its own name, or `age_years`, is a value: ridge
    regression, the figures of `agreement_measures`. Records where it is unknown are dropped.
    C comes from the grid and the folds of the logistic probes; ridge's penalty is 1 / C.

    Args:
        encoders: row -> one line per record, the same records in the same order.
        parts: `train` and `test`, free of common patients; others are predicted besides.
        name: of the outcome.
        settings: how to fit and judge.

    Raises:
        InputError: no such outcome, nothing to fit or nothing to judge.
    """
    first = next(iter(encoders.values()))
    truth, groups = _truth(first, name), first.frame["group"].to_numpy(str)
    known = {part: np.flatnonzero(rows & truth.known) for part, rows in parts.items()}
    train, test = known["train"], known["test"]
    if not len(train) or not len(test):
        raise InputError(
            f"outcome {name!r} is known of {len(train)} training and {len(test)} test records; "
            "choose other splits or another outcome"
        )
    asked = np.concatenate([rows for part, rows in known.items() if part != "train"])
    judged = truth.only(test)
    weights = outcome_weights(
        judged, groups[test], num_resamples=settings.num_resamples, seed=settings.seed
    )
    predictions, measures, chosen = {}, {}, {}
    for row, embeddings in encoders.items():
        found, chosen[row] = _read(
            embeddings, truth, train, asked, groups=groups, settings=settings
        )
        predictions[row] = np.full(len(groups), np.nan)
        predictions[row][asked] = found
        measures[row] = outcome_measures(judged, predictions[row][test], weights)
    metrics = {
        "type": truth.kind,
        "records": {"train": len(train), "test": len(test)},
        "rows": {
            row: found | {"chosen_c": chosen[row]}
            for row, found in compare_measures(measures, confidence=settings.confidence).items()
        },
    }
    return OutcomeResult(truth, predictions, metrics)


def _truth(records: Embeddings, name: str) -> NumericTruth:
    numbers = records.numbers
    if f"{name}.time" in numbers:
        return NumericTruth(numbers[f"{name}.time"], numbers[f"{name}.event"])
    if name in numbers:
        return NumericTruth(numbers[name])
    if name == "age_years":
        return NumericTruth(records.frame[name].to_numpy(np.float64))
    known = sorted({column.removesuffix(".time").removesuffix(".event") for column in numbers})
    raise InputError(
        f"config.outcomes names {name!r}; the embeddings have the numeric outcomes "
        f"{[*known, 'age_years']}"
    )


def _read(
    embeddings: Embeddings,
    truth: NumericTruth,
    train: Int[np.ndarray, " n"],
    asked: Int[np.ndarray, " m"],
    *,
    groups: np.ndarray,
    settings: ProbeSettings,
) -> tuple[Float64[np.ndarray, " m"], float]:
    """Predictions for the records asked for, and the chosen C."""
    features, queries = embeddings.matrix[train], embeddings.matrix[asked]
    how = {"num_folds": settings.num_folds, "seed": settings.seed}
    if truth.events is None:
        search = fit_ridge(
            features,
            truth.values[train],
            groups[train],
            penalties=[1 / c for c in settings.grid],
            **how,
        )
        predictions = search.predict(queries.astype(np.float64))
        return np.asarray(predictions), 1 / float(search.best_params_["ridge__alpha"])
    return cox_risk(
        features,
        truth.values[train],
        truth.events[train] > 0,
        groups[train],
        queries,
        grid=settings.grid,
        **how,
    )
