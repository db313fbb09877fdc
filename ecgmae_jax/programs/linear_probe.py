"""Embeddings and labels -> probes, predictions, metrics and a report."""

import hashlib
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import ml_collections

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.alignment import require_same_pictures
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.embeddings import Embeddings, read_embeddings
from ecgmae_jax.evaluation.intervals import COMMON_POSITIVES
from ecgmae_jax.evaluation.predictions import predictions_table
from ecgmae_jax.evaluation.probe_files import probe_bytes
from ecgmae_jax.evaluation.publishing import publish
from ecgmae_jax.evaluation.report import make_figures, render_report, summary
from ecgmae_jax.evaluation.task import ProbeSettings, TaskResult, probe_task
from ecgmae_jax.programs import workdirs


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Fits and compares the probes; writes report.html, metrics.json, predictions.csv, probes/."""
    settings = _settings(config)
    paths = _row_paths(config)
    pictures = {name: read_embeddings(path) for name, path in paths.items()}
    for name, embeddings in pictures.items():
        _require_labels(embeddings, tuple(config.labels), path=paths[name])
    require_same_pictures({str(paths[name]): found for name, found in pictures.items()})
    encoders = {
        name: aggregate_records(found, rule=config.aggregation) for name, found in pictures.items()
    }
    first = next(iter(encoders.values()))
    parts = part_rows(
        first.frame,
        {"train": tuple(config.splits.train), "test": tuple(config.splits.test)},
    )
    print(
        f"{first.frame['num_pictures'].sum()} pictures -> {len(first)} records "
        f"(rule: {config.aggregation})"
    )
    results = {
        task: probe_task(encoders, parts, task=task, settings=settings) for task in config.labels
    }

    fingerprints = {name: _fingerprint(path) for name, path in paths.items()}
    record = workdirs.open_workdir(
        workdir, config, data={str(paths[name]): mark for name, mark in fingerprints.items()}
    )
    metrics = {
        "program": "linear_probe",
        "code": record["versions"]["code"],
        "seed": settings.seed,
        "settings": _describe_settings(config, settings),
        "counts": {
            "pictures": int(first.frame["num_pictures"].sum()),
            "records": len(first),
        },
        "encoders": {
            name: _describe(found, path=paths[name], fingerprint=fingerprints[name])
            for name, found in encoders.items()
        },
        "tasks": {task: result.metrics for task, result in results.items()},
    }
    figures = make_figures(results)
    table = predictions_table(first.frame, parts, first.labels, results, encoders=list(encoders))
    text = f"{summary(metrics)}\nreport: {workdir / 'report.html'}"
    publish(
        workdir,
        {
            "report.html": render_report(metrics, figures).encode(),
            "predictions.csv": table.to_csv(index=False).encode(),
            "metrics.json": json.dumps(metrics, indent=2, allow_nan=False).encode(),
            "summary.txt": f"{text}\n".encode(),
        }
        | _figure_files(figures)
        | _probe_files(results),
    )
    print(text)


def _settings(config: ml_collections.ConfigDict) -> ProbeSettings:
    grid = tuple(float(c) for c in config.probe.grid)
    if not grid or min(grid) <= 0:
        raise InputError(f"config.probe.grid is {grid}; give one or more values of C above 0")
    if config.probe.folds < 2:
        raise InputError(f"config.probe.folds is {config.probe.folds}; at least 2 are needed")
    if config.bootstrap.resamples < 1 or not 0 < config.bootstrap.confidence < 1:
        raise InputError(
            f"config.bootstrap has {config.bootstrap.resamples} resamples and confidence "
            f"{config.bootstrap.confidence}; expected at least 1 and a share between 0 and 1"
        )
    if not config.labels:
        raise InputError("config.labels is empty; name one or more label columns, without 'label.'")
    return ProbeSettings(
        grid=grid,
        num_folds=config.probe.folds,
        num_resamples=config.bootstrap.resamples,
        confidence=config.bootstrap.confidence,
        seed=config.seed,
    )


def _describe_settings(
    config: ml_collections.ConfigDict, settings: ProbeSettings
) -> dict[str, Any]:
    return {
        "splits": {"train": list(config.splits.train), "test": list(config.splits.test)},
        "aggregation": config.aggregation,
        "grid": list(settings.grid),
        "folds": settings.num_folds,
        "resamples": settings.num_resamples,
        "confidence": settings.confidence,
        "common_positives": COMMON_POSITIVES,
    }


def _row_paths(config: ml_collections.ConfigDict) -> dict[str, pathlib.Path]:
    rows = config.rows.to_dict()
    order = list(dict.fromkeys(config.order))
    absent = [name for name in order if name not in rows]
    if absent or not order:
        raise InputError(
            f"config.order is {tuple(order)}, config.rows has {sorted(rows)}; "
            "name the rows to compare, the one to compare with first"
        )
    odd = [name for name in order if not re.fullmatch(r"[\w+-]+", name)]
    if odd:
        raise InputError(f"config.rows: {odd} in names; use letters, digits, _, + and - alone")
    return {name: pathlib.Path(rows[name]).expanduser() for name in order}


def _require_labels(embeddings: Embeddings, tasks: tuple[str, ...], *, path: pathlib.Path) -> None:
    for task in tasks:
        if task not in embeddings.labels:
            raise InputError(
                f"{path}: no column label.{task}; its label columns are "
                f"{[f'label.{name}' for name in embeddings.labels]}: set config.labels"
            )


def _describe(embeddings: Embeddings, *, path: pathlib.Path, fingerprint: str) -> dict[str, Any]:
    facts = {
        name: embeddings.metadata.get(name, "not stated")
        for name in ("encoder", "pooling", "checkpoint", "dataset")
    }
    features = embeddings.matrix.shape[1]
    return {**facts, "features": features, "file": str(path), "sha256": fingerprint}


def _figure_files(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    files = {}
    for task, found in figures.items():
        files[f"figures/{task}.png"] = found["comparison"]
        for i, (label, content) in enumerate(found["roc"], start=1):
            name = re.sub(r"[^\w+-]+", "_", label)
            files[f"figures/{task}_roc_{i:02d}_{name}.png"] = content
    return files


def _probe_files(results: Mapping[str, TaskResult]) -> dict[str, bytes]:
    return {
        f"probes/{name}_{task}.npz": probe_bytes(probe)
        for task, result in results.items()
        for name, probe in result.probes.items()
    }


def _fingerprint(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
