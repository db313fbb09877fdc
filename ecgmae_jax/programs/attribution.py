"""Shows where a model looks on the sheet, and checks that the maps mean something."""

import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np
import pandas as pd
from jaxtyping import Float

from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.evaluation.publishing import csv_bytes, publish
from ecgmae_jax.evaluation.reporting.attribution_shares import lead_second_shares, positive_shares
from ecgmae_jax.evaluation.reporting.overlays import Panel, overlay
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.programs import attribution_checks, explanations, inputs, workdirs
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.explained_models import ExplainedModel, load_explained
from ecgmae_jax.programs.explained_pictures import Subjects, choose_subjects
from ecgmae_jax.programs.record_files import record_files

_CAPTIONS = {
    "integrated gradients": "What spoke for the answer (integrated gradients; what spoke against "
    "it is not shown)",
    "attention rollout": "Where attention went, whatever the answer (attention rollout)",
}
_FOOTNOTE = (
    "Colour marks what this model's answer hangs on. It is no diagnosis, and a part that is not "
    "marked is not thereby normal."
)
# The full colour is the strength that one patch in a hundred reaches.
_STRONG = 0.99


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes overlays/<record_id>.png, attribution.csv and summary.json."""
    attribution_checks.check_shares(config.deletion.shares)
    model = load_explained(config.model, compute=make_compute(**config.compute))
    dataset = open_dataset(**config.data, split=config.split)
    inputs.check_input(dataset, model.specification)
    at_once = {"batch_size": config.batch_size}
    subjects = choose_subjects(
        model,
        dataset,
        records=config.records,
        number=config.num_records,
        explain=config.explain,
        **at_once,
    )
    record = workdirs.open_workdir(workdir, config, data={dataset.name: dataset.fingerprint})
    maps_of = explanations.make_maps(model, steps=config.steps)
    maps = {
        method: explanations.values_of(map_of, model.params, subjects, **at_once)
        for method, map_of in maps_of.items()
    }
    describe = _describing(subjects, config.bootstrap, seed=config.seed)
    common = {"describe": describe, "seed": config.seed, **at_once}
    randomised = explanations.randomisation(model, subjects, maps, maps_of=maps_of, **common)
    deleted = explanations.deletion(model, subjects, maps, **config.deletion, **common)
    shares = {method: positive_shares(values) for method, values in maps.items()}
    picture = dataset.picture if "height" in dataset.picture else model.specification["picture"]
    table = _table(model, subjects, shares, picture=picture)
    summary = {
        "program": "attribution",
        "code": record["versions"]["code"],
        "model": model.origin,
        "task": model.task,
        "explained": config.explain or "the most probable class of each picture",
        "records": len(subjects.frame),
        "probability": describe(subjects.probability),
        "bootstrap": {"unit": "patient", "seed": config.seed, **config.bootstrap},
        "methods": {
            method: {
                "rank_correlation_when_drawn_anew": randomised[method],
                "patches_hidden": deleted[method],
                "leads": _by_lead(table, method),
            }
            for method in maps
        },
    }
    files = _overlays(model, subjects, shares, dataset=dataset, picture=picture) | {
        "attribution.csv": csv_bytes(table, float_format="%.6f"),
        "summary.json": json.dumps(summary, indent=2).encode(),
    }
    publish(workdir, files)
    _say(summary, workdir)


def _describing(
    subjects: Subjects, settings: ml_collections.ConfigDict, *, seed: int
) -> explanations.Describe:
    """From one number per picture to their mean, with its interval over resampled patients."""
    drawn = patient_resamples(
        subjects.frame["group"].to_numpy(str),
        np.zeros((len(subjects.frame), 0)),  # No label has to be in every resample.
        num_resamples=settings.resamples,
        seed=seed,
    )
    return functools.partial(
        attribution_checks.described, weights=drawn.weights, confidence=settings.confidence
    )


def _table(
    model: ExplainedModel,
    subjects: Subjects,
    shares: Mapping[str, Float[np.ndarray, "b n"]],
    *,
    picture: Mapping[str, Any],
) -> pd.DataFrame:
    """One row per record, method, lead and second."""
    parts = []
    for method, values in shares.items():
        places, found = lead_second_shares(values, picture, grid=model.config.grid)
        leads, seconds = zip(*places, strict=True)
        for row, record_id in enumerate(subjects.frame["record_id"]):
            parts.append(
                pd.DataFrame(
                    {
                        "record_id": record_id,
                        "explained": model.classes[subjects.which[row]],
                        "method": method,
                        "lead": leads,
                        "second": pd.array(seconds, dtype="Int64"),
                        "share": found[row],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _by_lead(table: pd.DataFrame, method: str) -> dict[str, float]:
    """The mean over records of each lead's share."""
    totals = table[table["method"] == method].groupby(["lead", "record_id"], sort=False)["share"]
    means = totals.sum().groupby("lead", sort=False).mean()
    return {lead: round(float(share), 6) for lead, share in means.items()}


def _overlays(
    model: ExplainedModel,
    subjects: Subjects,
    shares: Mapping[str, Float[np.ndarray, "b n"]],
    *,
    dataset: Dataset,
    picture: Mapping[str, Any],
) -> dict[str, bytes]:
    paths = record_files(subjects.frame["record_id"].tolist(), folder="overlays", suffix=".png")
    strongest = {
        method: max(float(np.quantile(values, _STRONG) * values.shape[1]), 1.0)
        for method, values in shares.items()
    }
    where = f"{dataset.name}/{dataset.config} {dataset.split}"
    files = {}
    for row, path in enumerate(paths):
        explained = model.classes[subjects.which[row]].replace("_", " ")
        truth = subjects.truth[row].replace("_", " ") or "not known"
        files[path] = overlay(
            subjects.pictures[row],
            [
                Panel(_CAPTIONS[method], values[row], strongest[method])
                for method, values in shares.items()
            ],
            picture=picture,
            grid=model.config.grid,
            title=f"{subjects.frame['record_id'][row]}: {explained}, probability "
            f"{subjects.probability[row]:.2f} (truth: {truth})",
            footnote=f"{_FOOTNOTE} {where}, {model.origin['kind']} model "
            f"{model.origin['fingerprint']}.",
        )
    return files


def _say(summary: Mapping[str, Any], workdir: pathlib.Path) -> None:
    for method, found in summary["methods"].items():
        left = found["rank_correlation_when_drawn_anew"]["everything"]
        print(f"{method}: rank correlation {left['value']:.2f} with the map of random weights")
        for row in found["patches_hidden"]:
            print(
                f"  {row['hidden']:.0%} of the patches hidden: probability "
                f"{row['most_attributed']['value']:.3f} (most attributed first), "
                f"{row['random']['value']:.3f} (at random)"
            )
    print(f"{summary['records']} overlays: {workdir / 'overlays'}")
