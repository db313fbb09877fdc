"""Models compared with a reference on the same records, label by label."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import ndtr

from ecgmae_jax.evaluation.statistics.delong import area_difference, delong
from ecgmae_jax.evaluation.statistics.discrimination import weighted_auroc
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import percentile_interval
from ecgmae_jax.evaluation.statistics.multiplicity import holm


def compare_with_first(
    truth: Float[np.ndarray, " b"],
    scores: Mapping[str, Float[np.ndarray, " b"]],
    weights: Shaped[np.ndarray, "r b"],
    *,
    confidence: float,
) -> list[dict[str, Any]]:
    """AUROC of each model less that of the first, as plain values for JSON.

    `delong` and `bootstrap` each have an interval and a two-sided p value, the bootstrap's from the
    resamples `weights`.
    """
    names = list(scores)
    areas = delong(truth, np.stack([scores[name] for name in names]))
    resampled = {name: weighted_auroc(truth, scores[name], weights) for name in names}
    found = []
    for i, name in enumerate(names[1:], start=1):
        by_delong, p_delong = area_difference(areas, i, less=0, confidence=confidence)
        less = resampled[name] - resampled[names[0]]
        found.append(
            {
                "model": name,
                "less": names[0],
                "delong": {**plain(by_delong), "p": _number(p_delong)},
                "bootstrap": bootstrap_difference(by_delong.value, less, confidence=confidence),
            }
        )
    return found


def bootstrap_difference(
    value: float, resampled: Float[np.ndarray, " r"], *, confidence: float
) -> dict[str, float | None]:
    """A difference with its percentile interval and a two-sided p value of there being none.

    p is that of the difference over its standard deviation among the resamples.
    """
    deviation = float(np.std(resampled, ddof=1)) if len(resampled) > 1 else np.nan
    p_value = 2 * ndtr(-abs(value) / deviation) if deviation > 0 else np.nan
    interval = percentile_interval(value, resampled, confidence=confidence)
    return {**plain(interval), "p": _number(p_value)}


def adjust_for_all(comparisons: list[dict[str, Any]], *, by: str) -> list[dict[str, Any]]:
    """The comparisons with `p_holm`, their p value `by` one method adjusted over all of them."""
    raw = [entry[by]["p"] for entry in comparisons]
    adjusted = holm(np.array([np.nan if p is None else p for p in raw], np.float64))
    return [
        {**entry, "p_of": by, "p_holm": _number(p)}
        for entry, p in zip(comparisons, adjusted, strict=True)
    ]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
