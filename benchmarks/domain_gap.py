r"""The domain gap: probes fitted on clean sheets or scans, tested on scans, for several encoders.

    python benchmarks/domain_gap.py --data_dir=<out> \
        clean=runs/gap/clean scanned=runs/gap/scanned cleaned=runs/gap/cleaned
    python benchmarks/domain_gap.py --data_dir=<out> \
        blank=runs/gap/blank blank_scanned=runs/gap/blank_scanned \
        --fit scan_clinical --test scan_clinical photo_clinical

Each NAME=WORKDIR is a run of configs/pretrain.py on PTB-XL's signals (docs/benchmarks.md has the
commands), all of one shape; an untrained encoder is added for each kind of sheet. Which pictures
there are says `scanned_pictures.py`. L2 logistic regressions on mean-pooled features are fitted on
folds 1-8, on clean pictures and on those that --fit names, C by patient-grouped cross-validation,
and tested on fold 9, on clean pictures and those of --test; macro AUROC over the superclasses,
intervals from 1,000 resamples of patients. Prints one JSON line for each encoder and kind of
training pictures.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from scanned_pictures import SCANS, Pictures, clean_pictures, scans_of

from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.evaluation.readouts.probes import fit_probe, predict
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import bind, model_graph
from ecgmae_jax.models.vit import pool
from ecgmae_jax.programs import encoders, inputs

_TASK = "superclass"
_GRID = tuple(10.0**power for power in range(-6, 2))
_CONFIDENCE = 0.95

Features = dict[str, np.ndarray]


def encoders_by_sheet(workdirs: Mapping[str, str], *, seed: int) -> list[tuple[Any, dict]]:
    """Some pre-trained model of each specification, and its encoders' parameters by name."""
    found: dict[str, tuple[Any, dict]] = {}
    for name, path in workdirs.items():
        model = encoders.load_pretrained(pathlib.Path(path), which="last")
        sheet = json.dumps(model.specification, sort_keys=True)
        if sheet not in found:
            untrained = encoders.random_encoder(model.config.encoder, seed=seed)
            found[sheet] = (model, {f"untrained, sheets of {name}": untrained})
        found[sheet][1][name] = model.params["encoder"]
    return [*found.values()]


def features(
    pictures: Pictures, model: encoders.Pretrained, params: Mapping[str, dict]
) -> Features:
    """Mean-pooled features (n, d) by each of some encoders of one shape, in one pass."""
    graph = model_graph(encoders.encoder_maker(model.config.encoder, Compute(unroll=True)))

    @jax.jit
    def compute(images: jax.Array) -> dict[str, jax.Array]:
        seen = inputs.standardise(images, model.specification)
        return {name: pool(bind(graph, one)(seen), pooling="mean") for name, one in params.items()}

    batches = [compute(pictures[at : at + 32]) for at in range(0, len(pictures), 32)]
    return {name: np.concatenate([np.asarray(batch[name]) for batch in batches]) for name in params}


def known_labels(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with a label, their truth (n, k) and their patients."""
    truth = inputs.truth_of(dataset, _TASK)
    rows = np.flatnonzero(~np.isnan(truth).any(axis=1))
    source = dataset.source.only("group")
    groups = np.array([str(source[int(i)]["group"]) for i in rows])
    return rows, truth[rows].astype(np.float32), groups


def judged(
    datasets: Sequence[Dataset], fitted_on: Features, tested_on: Features, *, seed: int
) -> Iterator[dict[str, Any]]:
    """One encoder's probes from its features by kind of picture: value, low and high of each."""
    (rows, truth, groups), (test_rows, test_truth, test_groups) = map(known_labels, datasets)
    classes = datasets[0].label_set(_TASK).classes
    resamples = patient_resamples(test_groups, test_truth, num_resamples=1_000, seed=seed)
    settings = {"exclusive": False, "grid": _GRID, "num_folds": 5, "seed": seed, "metadata": {}}
    for kind, matrix in fitted_on.items():
        probe = fit_probe(matrix[rows], truth, groups, classes=classes, **settings)
        scores = {other: predict(probe, seen[test_rows]) for other, seen in tested_on.items()}
        found = compare_encoders(
            test_truth, scores, resamples, classes=classes, confidence=_CONFIDENCE
        )
        figures = {other: found[other]["macro"]["all"]["auroc"] for other in scores}
        yield {"probe_fitted_on": kind} | {
            other: [round(figure[part], 4) for part in ("value", "low", "high")]
            for other, figure in figures.items()
        }


def main() -> None:
    """Draws, scans, embeds, probes and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="+", metavar="NAME=WORKDIR")
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--fit", nargs="+", choices=SCANS, default=["scan"])
    parser.add_argument("--test", nargs="+", choices=SCANS, default=list(SCANS))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    workdirs = dict(pair.split("=", 1) for pair in given.encoders)
    sheets = encoders_by_sheet(workdirs, seed=given.seed)
    datasets = [
        open_dataset(name="ptb_xl", config="signal", data_dir=given.data_dir, split=split)
        for split in ("train", "validation")
    ]
    specifications = [model.specification for model, _ in sheets]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), context) as workers:
        scanned = [
            scans_of(dataset, kinds, specifications, workers)
            for dataset, kinds in zip(datasets, (given.fit, given.test), strict=True)
        ]
    for (model, params), *pictures in zip(sheets, *scanned, strict=True):
        embedded = []
        for dataset, some in zip(datasets, pictures, strict=True):
            some = {"clean": clean_pictures(dataset, model.specification)} | some
            embedded.append({kind: features(each, model, params) for kind, each in some.items()})
        for name in params:
            of_encoder = [{kind: each[name] for kind, each in some.items()} for some in embedded]
            for line in judged(datasets, *of_encoder, seed=given.seed):
                print(json.dumps({"benchmark": "domain_gap", "subject": name} | line), flush=True)


if __name__ == "__main__":
    main()
