"""Every figure of a clinical report, from predictions alone, as plain values for JSON."""

from typing import Any

import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.reporting.cohort_flow import cohort_flow
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, VALIDATION, Predictions
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.decision_curve import net_benefit_of_all
from ecgmae_jax.evaluation.statistics.delong import area_interval, delong
from ecgmae_jax.evaluation.statistics.discrimination import labels_with
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import Resamples, patient_resamples
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings, Scored, judge_label
from ecgmae_jax.evaluation.statistics.paired import adjust_for_all, compare_with_first
from ecgmae_jax.evaluation.statistics.subgroup_metrics import judge_subgroups


def judge_predictions(predictions: Predictions, settings: ReportSettings) -> dict[str, Any]:
    """Means over labels, every label with all its models, subgroups, comparisons and the cohort.

    Subgroups are those of the first model, which is also what the others are compared with.

    Raises:
        InputError: no label has both cases and controls among the test records.
    """
    test = predictions.rows(TEST, *predictions.probabilities)
    truth = predictions.truth[test]
    if not labels_with(truth).any():
        raise InputError(
            f"label {predictions.task!r}: of {len(truth)} test records none or all have each of "
            f"{list(predictions.classes)}; choose a test split with both kinds"
        )
    groups = predictions.frame["group"].to_numpy(str)[test]
    resamples = patient_resamples(
        groups, truth, num_resamples=settings.num_resamples, seed=settings.seed
    )
    rows = compare_encoders(
        truth,
        {name: values[test] for name, values in predictions.probabilities.items()},
        resamples,
        classes=predictions.classes,
        confidence=settings.confidence,
    )
    numbered = range(len(predictions.classes))
    return {
        "task": predictions.task,
        "classes": list(predictions.classes),
        "left_out": list(predictions.left_out),
        "opposite": predictions.opposite,
        "macro": {
            name: row["macro"] | {"difference": row.get("difference")} for name, row in rows.items()
        },
        "labels": [_judge_label(predictions, k, rows, settings) for k in numbered],
        "comparisons": _compare(predictions, resamples, settings),
        "bootstrap": {"resamples": len(resamples.weights), "draws": resamples.num_draws},
        "flow": _flow(predictions),
    }


def _flow(predictions: Predictions) -> list[dict[str, Any]]:
    truth, first = predictions.truth, next(iter(predictions.probabilities.values()))
    return cohort_flow(
        predictions.frame,
        Labels(predictions.classes, False, False, truth.astype(np.float32)),
        known=~np.isnan(truth).any(axis=1),
        predicted=~np.isnan(first).any(axis=1),
    )


def _judge_label(
    predictions: Predictions,
    k: int,
    rows: dict[str, dict[str, Any]],
    settings: ReportSettings,
) -> dict[str, Any]:
    test = predictions.rows(TEST, *predictions.probabilities)
    scored = {
        name: Scored(predictions.truth[test, k], values[test, k])
        for name, values in predictions.probabilities.items()
    }
    models = _judge_models(predictions, k, scored, rows, settings)
    first, truth = next(iter(models)), predictions.truth[test, k]
    return {
        "label": predictions.classes[k],
        "records": len(truth),
        "patients": int(predictions.frame["group"][test].nunique()),
        "positives": int(truth.sum()),
        "prevalence": float(truth.mean()),
        "thresholds": list(settings.thresholds),
        "net_benefit_of_all": net_benefit_of_all(
            truth, thresholds=np.array(settings.thresholds)
        ).tolist(),
        "models": models,
        "subgroups": judge_subgroups(
            predictions.frame[test].reset_index(drop=True),
            scored[first],
            models[first]["operating_points"],
            settings,
        ),
    }


def _judge_models(
    predictions: Predictions,
    k: int,
    scored: dict[str, Scored],
    rows: dict[str, dict[str, Any]],
    settings: ReportSettings,
) -> dict[str, dict[str, Any]]:
    """Each model on the test records; what it needs to fix, on its own validation records."""
    truth = next(iter(scored.values())).truth
    areas = delong(truth, np.stack([one.probabilities for one in scored.values()]))
    models = {}
    for position, name in enumerate(scored):
        entry, chosen_on = rows[name]["labels"][k], predictions.rows(VALIDATION, name)
        validation = Scored(
            predictions.truth[chosen_on, k], predictions.probabilities[name][chosen_on, k]
        )
        models[name] = {
            "auroc_delong": plain(area_interval(areas, position, confidence=settings.confidence)),
            "auroc_bootstrap": entry["auroc"],
            "auprc_bootstrap": entry["auprc"],
            **judge_label(scored[name], validation, settings),
        }
    return models


def _compare(
    predictions: Predictions, resamples: Resamples, settings: ReportSettings
) -> list[dict[str, Any]]:
    """Each label with both classes, each model but the first."""
    test = predictions.rows(TEST, *predictions.probabilities)
    groups = predictions.frame["group"][test]
    truth = predictions.truth[test]
    found = [
        {"label": predictions.classes[k], "records": len(truth), **entry}
        for k in np.flatnonzero(labels_with(truth))
        for entry in compare_with_first(
            truth[:, k],
            {name: values[test, k] for name, values in predictions.probabilities.items()},
            resamples.weights,
            confidence=settings.confidence,
        )
    ]
    # DeLong's p values take records for independent, which several of one patient are not.
    return adjust_for_all(found, by="delong" if groups.is_unique else "bootstrap")
