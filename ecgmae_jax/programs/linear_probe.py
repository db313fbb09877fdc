"""Embeddings and labels -> probes, predictions, metrics and a report."""

import hashlib
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.alignment import require_same_pictures
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.embeddings import Embeddings, read_embeddings
from ecgmae_jax.evaluation.readouts.demographics import AGE_AND_SEX, age_and_sex
from ecgmae_jax.evaluation.readouts.few_shot import few_shot_rows, summarise_draws
from ecgmae_jax.evaluation.readouts.further_readouts import readout_rows
from ecgmae_jax.evaluation.readouts.numeric_outcomes import probe_outcome
from ecgmae_jax.evaluation.readouts.probes import predict
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, TaskResult, known_rows, probe_task
from ecgmae_jax.evaluation.reporting.number_columns import number_columns
from ecgmae_jax.evaluation.reporting.predictions import Predicted, predictions_table
from ecgmae_jax.evaluation.statistics.intervals import COMMON_POSITIVES
from ecgmae_jax.programs import probe_settings, workdirs
from ecgmae_jax.programs.pretraining_checks import check_embeddings
from ecgmae_jax.programs.probe_outputs import publish_probes

# The row that is the age would read it off itself.
_TELLS_ITSELF = (AGE_AND_SEX, "age_years")


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Fits and compares the probes; writes report.html, metrics.json, the tables and probes/."""
    settings = probe_settings.check_settings(config.probe, config.bootstrap, seed=config.seed)
    shares, draws = probe_settings.check_shares(config.few_shot)
    readouts = config.readouts.to_dict()
    paths = probe_settings.check_rows(config.rows.to_dict(), config.order, readouts)
    records = _read_records(config, paths)
    first = next(iter(records.values()))
    parts = part_rows(first.frame, probe_settings.parts_of(config.splits))
    records[AGE_AND_SEX] = age_and_sex(first, parts["train"])
    encoders = {name: records[name] for name in dict.fromkeys(config.order)}
    leakage = check_embeddings(records.values(), config.splits.test, allowed=config.allow_overlap)
    results = {
        task: probe_task(encoders, parts, task=task, settings=settings) for task in config.labels
    }
    curves = {
        task: few_shot_rows(
            encoders, parts, task=task, result=result, shares=shares, draws=draws, settings=settings
        )
        for task, result in results.items()
    }
    further = {
        task: readout_rows(
            records, parts, task=task, result=result, readouts=readouts, settings=settings
        )
        for task, result in results.items()
    }
    outcomes = {
        name: probe_outcome(
            {row: found for row, found in encoders.items() if (row, name) != _TELLS_ITSELF},
            parts,
            name=name,
            settings=settings,
        )
        for name in config.outcomes
    }

    fingerprints = {name: _fingerprint(path) for name, path in paths.items()}
    record = workdirs.open_workdir(
        workdir, config, data={str(paths[name]): mark for name, mark in fingerprints.items()}
    )
    described = {
        name: _describe(found, path=paths.get(name), fingerprint=fingerprints.get(name, "none"))
        for name, found in records.items()
    }
    metrics = {
        "program": "linear_probe",
        "code": record["versions"]["code"],
        "seed": settings.seed,
        "settings": _describe_settings(config, settings),
        "leakage": leakage,
        "counts": {"pictures": int(first.frame["num_pictures"].sum()), "records": len(first)},
        "encoders": {name: described.pop(name) for name in encoders},
        "further_inputs": described,
        "tasks": {
            task: result.metrics
            | {"readouts": further[task], "few_shot": summarise_draws(curves[task])}
            for task, result in results.items()
        },
        "outcomes": {name: result.metrics for name, result in outcomes.items()},
    }
    publish_probes(
        workdir,
        metrics,
        results,
        predictions=predictions_table(
            first.frame,
            parts,
            first.labels,
            results,
            encoders=list(encoders),
            further=_validation(encoders, parts, results),
            numbers=[number_columns(name, r.truth, r.predictions) for name, r in outcomes.items()],
        ),
        curves=curves,
    )


def _read_records(
    config: ml_collections.ConfigDict, paths: Mapping[str, pathlib.Path]
) -> dict[str, Embeddings]:
    """The rows' embeddings, one line per record, all of the same records in the same order."""
    if not config.labels and not config.outcomes:
        raise InputError(
            "config.labels is empty, and so is config.outcomes; name one or more label columns, "
            "without 'label.'"
        )
    pictures = {name: read_embeddings(path) for name, path in paths.items()}
    for name, embeddings in pictures.items():
        _require_labels(embeddings, tuple(config.labels), path=paths[name])
    require_same_pictures({str(paths[name]): found for name, found in pictures.items()})
    records = {
        name: aggregate_records(found, rule=config.aggregation) for name, found in pictures.items()
    }
    before, after = (len(next(iter(found.values()))) for found in (pictures, records))
    print(f"{before} pictures -> {after} records (rule: {config.aggregation})")
    return records


def _validation(
    encoders: Mapping[str, Embeddings],
    parts: Mapping[str, np.ndarray],
    results: Mapping[str, TaskResult],
) -> dict[str, Predicted]:
    """Probabilities of the validation records, on which thresholds may be chosen."""
    if "validation" not in parts:
        return {}
    found = {}
    for task, result in results.items():
        rows = known_rows(next(iter(encoders.values())).labels[task], parts["validation"])
        found[task] = Predicted(
            rows,
            {
                name: predict(probe, encoders[name].matrix[rows])
                for name, probe in result.probes.items()
            },
        )
    return found


def _describe_settings(
    config: ml_collections.ConfigDict, settings: ProbeSettings
) -> dict[str, Any]:
    return {
        "splits": {
            part: list(splits) for part, splits in probe_settings.parts_of(config.splits).items()
        },
        "aggregation": config.aggregation,
        "grid": list(settings.grid),
        "folds": settings.num_folds,
        "resamples": settings.num_resamples,
        "confidence": settings.confidence,
        "common_positives": COMMON_POSITIVES,
        "readouts": config.readouts.to_dict(),
        "few_shot": config.few_shot.to_dict(),
    }


def _require_labels(embeddings: Embeddings, tasks: tuple[str, ...], *, path: pathlib.Path) -> None:
    for task in tasks:
        if task not in embeddings.labels:
            raise InputError(
                f"{path}: no column label.{task}; its label columns are "
                f"{[f'label.{name}' for name in embeddings.labels]}: set config.labels"
            )


def _describe(
    embeddings: Embeddings, *, path: pathlib.Path | None, fingerprint: str
) -> dict[str, Any]:
    facts = {
        name: embeddings.metadata.get(name, "not stated")
        for name in ("encoder", "pooling", "checkpoint", "dataset")
    }
    return {
        **facts,
        "features": embeddings.matrix.shape[1],
        "file": "made of the table" if path is None else str(path),
        "sha256": fingerprint,
    }


def _fingerprint(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
