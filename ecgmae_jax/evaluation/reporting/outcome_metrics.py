"""Every figure of a report on outcomes that are numbers, as plain values for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int, Shaped
from matplotlib.ticker import MaxNLocator

from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.reporting.cohort_flow import cohort_flow
from ecgmae_jax.evaluation.reporting.number_predictions import NumberPredictions
from ecgmae_jax.evaluation.reporting.prediction_files import TEST
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import percentile_interval
from ecgmae_jax.evaluation.statistics.kaplan_meier import event_free_share, number_at_risk
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings
from ecgmae_jax.evaluation.statistics.outcome_measures import (
    Measures,
    NumericTruth,
    compare_measures,
    outcome_measures,
    outcome_weights,
)
from ecgmae_jax.evaluation.statistics.paired import adjust_for_all, bootstrap_difference

THIRDS = ("lowest", "middle", "highest")
# The figure by which models are compared, of each kind of outcome.
_LEADING = {"continuous": "r2", "time-to-event": "c_index"}


def judge_outcomes(
    outcomes: Sequence[NumberPredictions], settings: ReportSettings
) -> dict[str, list[dict[str, Any]]]:
    """`outcomes`, each with all its models, and `outcome_comparisons` with the first of them."""
    judged, comparisons = [], []
    for found in outcomes:
        test = found.rows(TEST, *found.predictions)
        truth, groups = found.truth.only(test), found.frame["group"].to_numpy(str)[test]
        predicted = {model: values[test] for model, values in found.predictions.items()}
        weights = outcome_weights(
            truth, groups, num_resamples=settings.num_resamples, seed=settings.seed
        )
        measures = {
            model: outcome_measures(truth, values, weights) for model, values in predicted.items()
        }
        models = compare_measures(measures, confidence=settings.confidence)
        about = {"outcome": found.outcome, "type": truth.kind, "records": len(groups)}
        about |= {"patients": len(np.unique(groups)), **_describe(truth)}
        if truth.events is not None:
            for model, values in predicted.items():
                models[model]["thirds"] = _judge_thirds(
                    truth, values, groups, weights, about["times"], settings.confidence
                )
        without = {"not_predicted_by": list(found.without), "flow": _flow(found)}
        judged.append({**about, **without, "models": models})
        comparisons += _compare(about, measures, settings.confidence)
    adjusted = adjust_for_all(comparisons, by="bootstrap")
    return {"outcomes": judged, "outcome_comparisons": adjusted}


def thirds_of(risk: Float64[np.ndarray, " b"]) -> Int[np.ndarray, " b"]:
    """0, 1 or 2: the third of the records by risk, equal risks kept together."""
    return np.searchsorted(np.quantile(risk, [1 / 3, 2 / 3]), risk, side="left")


def _describe(truth: NumericTruth) -> dict[str, Any]:
    if truth.events is not None:
        longest = float(truth.values.max())
        ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(0.0, longest)
        times = [float(tick.round(9)) for tick in ticks if 0 < tick <= longest]
        return {"events": int(truth.events.sum()), "longest": longest, "times": times}
    return {
        "observed": {
            "mean": float(truth.values.mean()),
            "deviation": float(truth.values.std(ddof=1)),
            "least": float(truth.values.min()),
            "greatest": float(truth.values.max()),
        }
    }


def _judge_thirds(
    truth: NumericTruth,
    risk: Float64[np.ndarray, " b"],
    groups: np.ndarray,
    weights: Shaped[np.ndarray, "r b"],
    times: Sequence[float],
    confidence: float,
) -> list[dict[str, Any]]:
    """The Kaplan-Meier curve of each third by predicted risk; intervals from the weightings."""
    found, which, at = [], thirds_of(risk), np.array(times, np.float64)
    for number, name in enumerate(THIRDS):
        rows = which == number
        if not rows.any():
            continue
        own = truth.only(rows)
        happened = own.events > 0
        shares = event_free_share(own.values, happened, weights[:, rows], at=at)
        steps = np.unique(own.values[happened])
        curve = event_free_share(own.values, happened, weights[:1, rows], at=steps)[0]
        found.append(
            {
                "third": name,
                "records": int(rows.sum()),
                "patients": len(np.unique(groups[rows])),
                "events": int(happened.sum()),
                "least_risk": float(risk[rows].min()),
                "greatest_risk": float(risk[rows].max()),
                "last": float(own.values.max()),
                "curve": {"time": steps.tolist(), "share": curve.tolist()},
                "at": [
                    {
                        "time": time,
                        "at_risk": int(count),
                        "share": plain(percentile_interval(s[0], s[1:], confidence=confidence)),
                    }
                    for time, count, s in zip(
                        times, number_at_risk(own.values, at=at), shares.T, strict=True
                    )
                ],
            }
        )
    return found


def _compare(
    about: Mapping[str, Any], measures: Mapping[str, Measures], confidence: float
) -> list[dict[str, Any]]:
    """Each model but the first, by the leading figure."""
    first, *others = measures
    leading = _LEADING[about["type"]]
    found = []
    for model in others:
        less = measures[model][leading] - measures[first][leading]
        difference = bootstrap_difference(float(less[0]), less[1:], confidence=confidence)
        names = {"model": model, "less": first, "measure": leading, "bootstrap": difference}
        found.append({**{key: about[key] for key in ("outcome", "records", "patients")}, **names})
    return found


def _flow(found: NumberPredictions) -> list[dict[str, Any]]:
    none = np.zeros((len(found.frame), 0), np.float32)
    return cohort_flow(
        found.frame,
        Labels((), False, False, none),
        known=found.truth.known,
        predicted=~np.isnan(next(iter(found.predictions.values()))),
    )
