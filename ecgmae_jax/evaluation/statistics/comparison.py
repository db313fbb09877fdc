"""Several encoders on the same test records: figures per label, their means, paired differences."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from ecgmae_jax.evaluation.statistics.discrimination import (
    auprc,
    auroc,
    labels_with,
    weighted_auprc,
    weighted_auroc,
)
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import (
    COMMON_POSITIVES,
    Resamples,
    percentile_interval,
)

_MEASURES = {"auroc": (auroc, weighted_auroc), "auprc": (auprc, weighted_auprc)}


@dataclasses.dataclass(frozen=True, eq=False)
class _Measured:
    """One measure of one encoder: per label, and per label in every resample."""

    point: Float64[np.ndarray, " k"]
    resampled: Float64[np.ndarray, "r k"]


def compare_encoders(
    truth: Float[np.ndarray, "b k"],
    probabilities: Mapping[str, Float[np.ndarray, "b k"]],
    resamples: Resamples,
    *,
    classes: Sequence[str],
    confidence: float,
) -> dict[str, dict[str, Any]]:
    """AUROC and AUPRC of each encoder, as plain values for JSON (None where undefined).

    `macro.all` is the mean over the labels that have both classes among the records, `macro.common`
    the mean over those with at least 10 positives; each states how many. `difference` is the
    encoder less the first one, on the same resamples.
    """
    label_sets = {
        "all": labels_with(truth),
        "common": labels_with(truth, min_positives=COMMON_POSITIVES),
    }
    measured = {
        name: {measure: _measure(measure, truth, scores, resamples) for measure in _MEASURES}
        for name, scores in probabilities.items()
    }
    first = next(iter(measured))
    rows: dict[str, dict[str, Any]] = {}
    for name, found in measured.items():
        rows[name] = {
            "labels": _per_label(truth, found, classes=classes, confidence=confidence),
            "macro": _macro(found, label_sets, confidence=confidence),
        }
        if name != first:
            less = {
                measure: _Measured(
                    found[measure].point - measured[first][measure].point,
                    found[measure].resampled - measured[first][measure].resampled,
                )
                for measure in _MEASURES
            }
            rows[name]["difference"] = {"to": first} | _macro(
                less, label_sets, confidence=confidence
            )
    return rows


def _measure(
    measure: str,
    truth: Float[np.ndarray, "b k"],
    scores: Float[np.ndarray, "b k"],
    resamples: Resamples,
) -> _Measured:
    point, weighted = _MEASURES[measure]
    columns = range(truth.shape[1])
    return _Measured(
        np.array([point(truth[:, k], scores[:, k]) for k in columns]),
        np.stack([weighted(truth[:, k], scores[:, k], resamples.weights) for k in columns], axis=1),
    )


def _per_label(
    truth: Float[np.ndarray, "b k"],
    found: Mapping[str, _Measured],
    *,
    classes: Sequence[str],
    confidence: float,
) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "n": len(truth),
            "positives": int(truth[:, k].sum()),
            "prevalence": float(truth[:, k].mean()),
        }
        | {
            measure: plain(
                percentile_interval(values.point[k], values.resampled[:, k], confidence=confidence)
            )
            for measure, values in found.items()
        }
        for k, label in enumerate(classes)
    ]


def _macro(
    found: Mapping[str, _Measured],
    label_sets: Mapping[str, Bool[np.ndarray, " k"]],
    *,
    confidence: float,
) -> dict[str, dict[str, Any]]:
    return {
        name: {"labels": int(used.sum())}
        | {
            measure: plain(
                percentile_interval(
                    values.point[used].mean(),
                    values.resampled[:, used].mean(axis=1),
                    confidence=confidence,
                )
            )
            for measure, values in found.items()
            if used.any()
        }
        for name, used in label_sets.items()
    }
