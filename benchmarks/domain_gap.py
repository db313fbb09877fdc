r"""The domain gap: a probe fitted on clean sheets and tested on scanned ones, for several encoders.

    python benchmarks/domain_gap.py --data_dir=<out> \
        clean=runs/gap/clean scanned=runs/gap/scanned cleaned=runs/gap/cleaned

Each NAME=WORKDIR is a run of configs/pretrain.py on PTB-XL's signals (docs/benchmarks.md has the
commands); an untrained encoder of the first one's shape is added. Every recording is drawn on the
encoders' own sheet, clean, from a scanner's glass and from a telephone, the same scans for
all. L2 logistic regressions on mean-pooled features are fitted on folds 1-8, C by patient-grouped
cross-validation, and tested on fold 9; macro AUROC over the superclasses, intervals from
1,000 resamples of patients. Prints one JSON line for each encoder and kind of training pictures.
"""

import argparse
import json
import pathlib

import jax
import numpy as np

from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.evaluation.readouts.probes import fit_probe, predict
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import bind, model_graph
from ecgmae_jax.models.vit import pool
from ecgmae_jax.programs import encoders, inputs
from ecgmae_jax.programs.views import drawn_views

_CONDITIONS = ("clean", "scan", "photo")
_TASK = "superclass"
_GRID = tuple(10.0**power for power in range(-6, 2))
_CONFIDENCE = 0.95


def embed(
    dataset: Dataset, model: encoders.Pretrained, params: dict[str, dict], *, condition: str
) -> dict[str, np.ndarray]:
    """Mean-pooled features (n, d) by each of some encoders of one shape, in one pass."""
    views = drawn_views(
        dataset,
        sheets=[inputs.sheet_of(model.specification)],
        scan="off" if condition == "clean" else condition,
        augment={},
        statistics=model.specification,
        target="pixels",
    )
    graph = model_graph(encoders.encoder_maker(model.config.encoder, Compute(unroll=True)))

    @jax.jit
    def compute(batch: dict) -> dict[str, jax.Array]:
        seen = views.view(batch).seen
        return {name: pool(bind(graph, one)(seen), pooling="mean") for name, one in params.items()}

    found: dict[str, list[np.ndarray]] = {name: [] for name in params}
    for batch in make_eval_loader(dataset, batch_size=32, keys=views.keys):
        real = batch["mask"] > 0
        for name, rows in compute({key: batch[key] for key in views.keys}).items():
            found[name].append(np.asarray(rows)[real])
    return {name: np.concatenate(rows) for name, rows in found.items()}


def known_labels(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with a label, their truth (n, k) and their patients."""
    truth = inputs.truth_of(dataset, _TASK)
    rows = np.flatnonzero(~np.isnan(truth).any(axis=1))
    source = dataset.source.only("group")
    groups = np.array([str(source[int(i)]["group"]) for i in rows])
    return rows, truth[rows].astype(np.float32), groups


def main() -> None:
    """Embeds, probes and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="+", metavar="NAME=WORKDIR")
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    workdirs = dict(pair.split("=", 1) for pair in given.encoders)
    models = {
        name: encoders.load_pretrained(pathlib.Path(path), which="last")
        for name, path in workdirs.items()
    }
    first = next(iter(models.values()))
    params = {name: jax.device_put(model.params["encoder"]) for name, model in models.items()}
    params["random"] = encoders.random_encoder(first.config.encoder, seed=given.seed)
    train, test = (
        open_dataset(name="ptb_xl", config="signal", data_dir=given.data_dir, split=split)
        for split in ("train", "validation")
    )
    fitted_on = {c: embed(train, first, params, condition=c) for c in _CONDITIONS[:2]}
    tested_on = {c: embed(test, first, params, condition=c) for c in _CONDITIONS}
    (rows, truth, groups), (test_rows, test_truth, test_groups) = map(known_labels, (train, test))
    classes = train.label_set(_TASK).classes
    resamples = patient_resamples(test_groups, test_truth, num_resamples=1_000, seed=given.seed)
    for name in params:
        for kind, matrices in fitted_on.items():
            probe = fit_probe(
                matrices[name][rows],
                truth,
                groups,
                classes=classes,
                exclusive=False,
                grid=_GRID,
                num_folds=5,
                seed=given.seed,
                metadata={},
            )
            scores = {c: predict(probe, tested_on[c][name][test_rows]) for c in _CONDITIONS}
            found = compare_encoders(
                test_truth, scores, resamples, classes=classes, confidence=_CONFIDENCE
            )
            line = {"benchmark": "domain_gap", "subject": name, "probe_fitted_on": kind}
            for c in _CONDITIONS:
                line[c] = _rounded(found[c]["macro"]["all"]["auroc"])
            for c in _CONDITIONS[1:]:
                line[f"{c}_less_clean"] = _rounded(found[c]["difference"]["all"]["auroc"])
            print(json.dumps(line), flush=True)


def _rounded(estimate: dict[str, float | None]) -> list[float | None]:
    """Value, low and high."""
    return [
        None if v is None else round(v, 4) for v in (estimate[k] for k in ("value", "low", "high"))
    ]


if __name__ == "__main__":
    main()
