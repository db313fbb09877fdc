"""Predictions of one or several models -> the clinical report."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.publishing import csv_bytes, publish
from ecgmae_jax.evaluation.reporting.cases import choose_cases
from ecgmae_jax.evaluation.reporting.clinical_metrics import judge_predictions
from ecgmae_jax.evaluation.reporting.clinical_report import (
    make_clinical_figures,
    render_card,
    render_clinical_report,
)
from ecgmae_jax.evaluation.reporting.clinical_tables import report_tables
from ecgmae_jax.evaluation.reporting.model_card import make_card, read_statements
from ecgmae_jax.evaluation.reporting.number_predictions import (
    NumberPredictions,
    join_columns,
    read_outcome,
)
from ecgmae_jax.evaluation.reporting.outcome_figures import make_outcome_figures
from ecgmae_jax.evaluation.reporting.outcome_metrics import judge_outcomes
from ecgmae_jax.evaluation.reporting.outcome_tables import outcome_tables
from ecgmae_jax.evaluation.reporting.prediction_files import Predictions, read_predictions
from ecgmae_jax.evaluation.statistics.calibration_curve import SPAN
from ecgmae_jax.evaluation.statistics.intervals import COMMON_POSITIVES
from ecgmae_jax.evaluation.statistics.label_efficiency import read_efficiency
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings
from ecgmae_jax.programs import workdirs
from ecgmae_jax.programs.report_inputs import (
    file_facts,
    named_files,
    read_pictures,
    read_refused,
)


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes report.html, model_card.md, metrics.json, predictions.csv, tables/ and figures/."""
    settings = _settings(config)
    files = named_files(config.models, field="models")
    development = named_files(config.development, field="development")
    unknown = sorted(set(development) - set(files))
    if not files or unknown:
        raise InputError(
            f"config.models has {[*files]}, config.development besides {unknown}; give "
            "--config.models=<name>=<predictions.csv> for each model"
        )
    predictions, outcomes = _read(config, files, development)
    efficiency = (
        read_efficiency(pathlib.Path(config.few_shot).expanduser(), task=config.label)
        if config.few_shot
        else []
    )
    refused = (
        read_refused(pathlib.Path(config.rejections).expanduser()) if config.rejections else None
    )
    statements = (
        read_statements(pathlib.Path(config.statements).expanduser()) if config.statements else {}
    )
    cases = choose_cases(predictions, count=config.cases.count) if predictions else []
    folders = {"picture": config.cases.pictures, "attribution": config.cases.attributions}
    pictures = {kind: read_pictures(folder, cases) for kind, folder in folders.items()}

    found = _judge(predictions, outcomes, settings)
    models = {name: file_facts(path) for name, path in files.items()}
    for name, path in development.items():
        models[name]["development"] = file_facts(path)
    marks = {facts["file"]: facts["sha256"] for facts in models.values()}
    record = workdirs.open_workdir(workdir, config, data=marks)
    metrics = {
        "program": "report",
        "code": record["versions"]["code"],
        "seed": settings.seed,
        "settings": _describe(settings),
        "models": models,
        **found,
        "efficiency": efficiency,
        "refused": refused,
        "cases": cases,
    }
    card = make_card(metrics, statements)
    figures = make_clinical_figures(metrics, predictions)
    figures |= make_outcome_figures(metrics, outcomes)
    tables = [one.table() for one in (predictions, *outcomes) if one is not None]
    publish(
        workdir,
        {
            "report.html": render_clinical_report(metrics, figures, pictures, card).encode(),
            "model_card.md": render_card(card).encode(),
            "predictions.csv": csv_bytes(join_columns(tables)),
            "metrics.json": json.dumps(metrics, indent=2, allow_nan=False).encode(),
        }
        | report_tables(metrics)
        | outcome_tables(metrics)
        | {f"figures/{name}.png": content for name, content in figures.items()},
    )
    print(f"report: {workdir / 'report.html'}  figures: {workdir / 'metrics.json'}")


def _read(
    config: ml_collections.ConfigDict,
    files: Mapping[str, pathlib.Path],
    development: Mapping[str, pathlib.Path],
) -> tuple[Predictions | None, list[NumberPredictions]]:
    """The predictions of the label, where one is named, and of the numeric outcomes."""
    if not config.label and not config.outcomes:
        raise InputError(
            "config.label is empty, and so is config.outcomes; name a label or numeric outcomes of "
            "the predictions.csv files"
        )
    predictions = (
        read_predictions(files, task=config.label, development=development)
        if config.label
        else None
    )
    return predictions, [read_outcome(files, outcome=name) for name in config.outcomes]


def _judge(
    predictions: Predictions | None,
    outcomes: Sequence[NumberPredictions],
    settings: ReportSettings,
) -> dict[str, Any]:
    judged = judge_outcomes(outcomes, settings)
    if predictions is not None:
        return judge_predictions(predictions, settings) | judged
    nothing = {name: [] for name in ("classes", "left_out", "labels", "comparisons")}
    nothing["opposite"] = None
    flow = judged["outcomes"][0]["flow"]
    return {"task": "", "macro": {}, "bootstrap": None, "flow": flow, **nothing, **judged}


def _settings(config: ml_collections.ConfigDict) -> ReportSettings:
    low, high = config.decision.low, config.decision.high
    shares = {
        "config.bootstrap.confidence": (config.bootstrap.confidence,),
        "config.sensitivities": tuple(config.sensitivities),
        "config.prevalences": tuple(config.prevalences),
        "config.decision": (low, high),
    }
    for name, values in shares.items():
        if not all(0 < value < 1 for value in values):
            raise InputError(f"{name} is {values}; expected shares between 0 and 1")
    if config.bootstrap.resamples < 2 or config.decision.steps < 2 or low >= high:
        raise InputError(
            f"config.bootstrap.resamples is {config.bootstrap.resamples}, config.decision has "
            f"{config.decision.steps} steps from {low} to {high}; expected at least 2 resamples "
            "and 2 steps from a lower to a higher threshold"
        )
    edges = tuple(config.age_edges)
    if not edges or list(edges) != sorted(set(edges)) or config.calibration_groups < 2:
        raise InputError(
            f"config.age_edges is {edges}, config.calibration_groups {config.calibration_groups}; "
            "expected ascending ages and at least 2 groups"
        )
    return ReportSettings(
        num_resamples=config.bootstrap.resamples,
        confidence=config.bootstrap.confidence,
        seed=config.seed,
        sensitivities=tuple(config.sensitivities),
        prevalences=tuple(config.prevalences),
        thresholds=tuple(np.linspace(low, high, config.decision.steps).round(6).tolist()),
        age_edges=edges,
        num_groups=config.calibration_groups,
    )


def _describe(settings: ReportSettings) -> dict[str, Any]:
    described = dataclasses.asdict(settings)
    described["resamples"] = described.pop("num_resamples")
    described["groups"] = described.pop("num_groups")
    return described | {"common_positives": COMMON_POSITIVES, "span": SPAN}
