"""Outcomes that are numbers, from frozen embeddings: values by ridge, times to an event by Cox."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.readouts.regression import fit_ridge, regression_measures
from ecgmae_jax.evaluation.readouts.survival import concordance, cox_risk
from ecgmae_jax.evaluation.readouts.task import ProbeSettings
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples, percentile_interval

Measures = dict[str, Float64[np.ndarray, " r"]]


@dataclasses.dataclass(frozen=True, eq=False)
class _Outcome:
    """What is known of each record: a value, or a time and whether the event came then."""

    values: Float64[np.ndarray, " b"]
    events: Float64[np.ndarray, " b"] | None

    @property
    def known(self) -> Bool[np.ndarray, " b"]:
        both = self.values if self.events is None else self.values + self.events
        return ~np.isnan(both)


def probe_outcome(
    encoders: Mapping[str, Embeddings],
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    *,
    name: str,
    settings: ProbeSettings,
) -> dict[str, Any]:
    """Figures of every encoder for one numeric outcome, as plain values for JSON.

    An outcome with the numbers `<name>.time` and `<name>.event` is a time to an event: Cox
    regression, `c_index`. One with a number of its own name, or `age_years`, is a value: ridge
    regression, `r2`, `mae` in its unit and `correlation`. Records where it is unknown are dropped.
    C comes from the grid and the folds of the logistic probes; ridge's penalty is 1 / C.

    Args:
        encoders: row -> one line per record, the same records in the same order.
        parts: `train` and `test`, free of common patients.
        name: of the outcome.
        settings: how to fit and judge.

    Raises:
        InputError: no such outcome, nothing to fit or nothing to judge.
    """
    first = next(iter(encoders.values()))
    outcome, groups = _outcome(first, name), first.frame["group"].to_numpy(str)
    train, test = (np.flatnonzero(parts[part] & outcome.known) for part in ("train", "test"))
    if not len(train) or not len(test):
        raise InputError(
            f"outcome {name!r} is known of {len(train)} training and {len(test)} test records; "
            "choose other splits or another outcome"
        )
    events = None if outcome.events is None else outcome.events[:, None]
    resamples = patient_resamples(
        groups[test],
        np.zeros((len(test), 0)) if events is None else events[test],
        num_resamples=settings.num_resamples,
        seed=settings.seed,
    )
    # The first weighting counts every record once: the figure itself.
    weights = np.concatenate([np.ones_like(resamples.weights[:1]), resamples.weights])
    measures, chosen = {}, {}
    for row, embeddings in encoders.items():
        predictions, chosen[row] = _read(
            embeddings, outcome, train, test, groups=groups, settings=settings
        )
        measures[row] = _measures(outcome, test, predictions, weights)
    return {
        "type": "continuous" if events is None else "time-to-event",
        "records": {"train": len(train), "test": len(test)},
        "rows": {
            row: found | {"chosen_c": chosen[row]}
            for row, found in _compared(measures, confidence=settings.confidence).items()
        },
    }


def _outcome(records: Embeddings, name: str) -> _Outcome:
    numbers = records.numbers
    if f"{name}.time" in numbers:
        return _Outcome(numbers[f"{name}.time"], numbers[f"{name}.event"])
    if name in numbers:
        return _Outcome(numbers[name], None)
    if name == "age_years":
        return _Outcome(records.frame[name].to_numpy(np.float64), None)
    known = sorted({column.removesuffix(".time").removesuffix(".event") for column in numbers})
    raise InputError(
        f"config.outcomes names {name!r}; the embeddings have the numeric outcomes "
        f"{[*known, 'age_years']}"
    )


def _read(
    embeddings: Embeddings,
    outcome: _Outcome,
    train: Int[np.ndarray, " n"],
    test: Int[np.ndarray, " m"],
    *,
    groups: np.ndarray,
    settings: ProbeSettings,
) -> tuple[Float64[np.ndarray, " m"], float]:
    """Predictions for the test records, and the chosen C."""
    features, queries = embeddings.matrix[train], embeddings.matrix[test]
    how = {"num_folds": settings.num_folds, "seed": settings.seed}
    if outcome.events is None:
        search = fit_ridge(
            features,
            outcome.values[train],
            groups[train],
            penalties=[1 / c for c in settings.grid],
            **how,
        )
        predictions = search.predict(queries.astype(np.float64))
        return np.asarray(predictions), 1 / float(search.best_params_["ridge__alpha"])
    happened = outcome.events[train] > 0
    return cox_risk(
        features,
        outcome.values[train],
        happened,
        groups[train],
        queries,
        grid=settings.grid,
        **how,
    )


def _measures(
    outcome: _Outcome,
    test: Int[np.ndarray, " m"],
    predictions: Float64[np.ndarray, " m"],
    weights: Shaped[np.ndarray, "r m"],
) -> Measures:
    values = outcome.values[test]
    if outcome.events is None:
        return regression_measures(values, predictions, weights)
    return {"c_index": concordance(values, outcome.events[test] > 0, predictions, weights)}


def _compared(measures: Mapping[str, Measures], *, confidence: float) -> dict[str, dict[str, Any]]:
    """Each row's figures with intervals, and its paired difference to the first row."""
    first = next(iter(measures))
    rows = {row: _figures(found, confidence=confidence) for row, found in measures.items()}
    for row, found in measures.items():
        if row != first:
            less = {name: values - measures[first][name] for name, values in found.items()}
            rows[row]["difference"] = {"to": first} | _figures(less, confidence=confidence)
    return rows


def _figures(found: Measures, *, confidence: float) -> dict[str, Any]:
    return {
        name: plain(percentile_interval(values[0], values[1:], confidence=confidence))
        for name, values in found.items()
    }
