"""What a run of linear_probe leaves in its workdir: the report, the tables, figures and probes."""

import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ecgmae_jax.evaluation.publishing import csv_bytes, publish
from ecgmae_jax.evaluation.readouts.few_shot import summarise_draws
from ecgmae_jax.evaluation.readouts.probe_files import probe_bytes
from ecgmae_jax.evaluation.readouts.task import TaskResult
from ecgmae_jax.evaluation.reporting.few_shot_figure import few_shot_figure
from ecgmae_jax.evaluation.reporting.probe_tables import figures_table, further_summary
from ecgmae_jax.evaluation.reporting.report import make_figures, render_report, summary


def publish_probes(
    workdir: pathlib.Path,
    metrics: Mapping[str, Any],
    results: Mapping[str, TaskResult],
    *,
    predictions: pd.DataFrame,
    curves: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Writes everything a run of linear_probe leaves, and prints its summary.

    Args:
        workdir: where.
        metrics: the content of metrics.json.
        results: of each task.
        predictions: the content of predictions.csv.
        curves: lines of few_shot.csv by task; none where no curve was asked for.
    """
    figures = make_figures(results)
    for task, lines in curves.items():
        if lines:
            figures[task]["few_shot"] = few_shot_figure(summarise_draws(lines))
    shots = [line for lines in curves.values() for line in lines]
    told = (summary(metrics), further_summary(metrics), f"report: {workdir / 'report.html'}")
    text = "\n".join(filter(None, told))
    publish(
        workdir,
        {
            "report.html": render_report(metrics, figures).encode(),
            "predictions.csv": csv_bytes(predictions),
            "figures.csv": csv_bytes(figures_table(metrics["tasks"])),
            "metrics.json": json.dumps(metrics, indent=2, allow_nan=False).encode(),
            "summary.txt": f"{text}\n".encode(),
        }
        | ({"few_shot.csv": csv_bytes(pd.DataFrame(shots))} if shots else {})
        | _figure_files(figures)
        | _probe_files(results),
    )
    print(text)


def _figure_files(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    files = {}
    for task, found in figures.items():
        files[f"figures/{task}.png"] = found["comparison"]
        if "few_shot" in found:
            files[f"figures/{task}_few_shot.png"] = found["few_shot"]
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
