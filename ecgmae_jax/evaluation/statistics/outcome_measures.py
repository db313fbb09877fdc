"""Outcomes that are numbers, values or times to an event, and what predictions are worth."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from ecgmae_jax.evaluation.statistics.agreement import agreement_measures
from ecgmae_jax.evaluation.statistics.concordance import concordance
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples, percentile_interval

# Name -> figure under each weighting; the first weighting counts every record once.
Measures = dict[str, Float64[np.ndarray, " r"]]
CONTINUOUS, TIME_TO_EVENT = "continuous", "time-to-event"


@dataclasses.dataclass(frozen=True, eq=False)
class NumericTruth:
    """What is known of each record: a value, or a time and whether the event came then (1 or 0).

    NaN where it is unknown; `events` is None for a value.
    """

    values: Float64[np.ndarray, " b"]
    events: Float64[np.ndarray, " b"] | None = None

    @property
    def kind(self) -> str:
        """`continuous` or `time-to-event`."""
        return CONTINUOUS if self.events is None else TIME_TO_EVENT

    @property
    def known(self) -> Bool[np.ndarray, " b"]:
        """The records of which it is known."""
        both = self.values if self.events is None else self.values + self.events
        return ~np.isnan(both)

    def only(self, rows: Shaped[np.ndarray, " n"]) -> "NumericTruth":
        """Some of the records."""
        events = None if self.events is None else self.events[rows]
        return NumericTruth(self.values[rows], events)


def outcome_weights(
    truth: NumericTruth, groups: np.ndarray, *, num_resamples: int, seed: int
) -> Shaped[np.ndarray, "r b"]:
    """Every record once, then bootstrap resamples of whole patients.

    A resample without an event, or with nothing else, is drawn again, as in `patient_resamples`.
    """
    both = np.zeros((len(groups), 0)) if truth.events is None else truth.events[:, None]
    drawn = patient_resamples(groups, both, num_resamples=num_resamples, seed=seed).weights
    return np.concatenate([np.ones_like(drawn[:1]), drawn])


def outcome_measures(
    truth: NumericTruth,
    predictions: Float64[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> Measures:
    """`c_index` of predicted risks, or the figures of `agreement_measures` of predicted values."""
    if truth.events is None:
        return agreement_measures(truth.values, predictions, weights)
    return {"c_index": concordance(truth.values, truth.events > 0, predictions, weights)}


def compare_measures(
    measures: Mapping[str, Measures], *, confidence: float
) -> dict[str, dict[str, Any]]:
    """Each row's figures with intervals, and its paired `difference` to the first row."""
    first = next(iter(measures))
    rows = {row: _estimates(found, confidence=confidence) for row, found in measures.items()}
    for row, found in measures.items():
        if row != first:
            less = {name: values - measures[first][name] for name, values in found.items()}
            rows[row]["difference"] = {"to": first} | _estimates(less, confidence=confidence)
    return rows


def _estimates(found: Measures, *, confidence: float) -> dict[str, Any]:
    return {
        name: plain(percentile_interval(values[0], values[1:], confidence=confidence))
        for name, values in found.items()
    }
