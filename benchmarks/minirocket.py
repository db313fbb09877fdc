"""What the signals themselves give: MiniRocket features and ridge regression, the mark to pass.

    python -m venv <env> && <env>/bin/pip install -e . aeon
    <env>/bin/python benchmarks/minirocket.py --data_dir=<out>                     # all patients
    <env>/bin/python benchmarks/minirocket.py --data_dir=<out> --share=0.1 --draws=3

9,996 features of random convolutions in time (Dempster, Schmidt and Webb 2021) of the twelve leads
at 100 Hz, aeon's implementation, standardised; ridge regression of each label, its penalty by
leave-one-out. PTB-XL's superclasses, folds 1-8 for training, fold 9 or 10 for the test; the share
takes random training patients, the draws those of linear_probe with the same seed. aeon is no
dependency of this package: without it, and without data, this prints how to run it and ends.
Prints one JSON line for each draw.
"""

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
from scipy.signal import resample_poly
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.evaluation.readouts.few_shot import draw_patients
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.programs.inputs import truth_of

RATE_HZ = 100


def read_split(given: argparse.Namespace, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals (n, lead, sample) in mV, truth and patients of the records with a label."""
    dataset = open_dataset(name="ptb_xl", config="signal", data_dir=given.data_dir, split=split)
    truth = truth_of(dataset, given.task)
    known = np.flatnonzero(~np.isnan(truth).any(axis=1))
    source = dataset.source.only("signal", "group")
    examples = [source[int(i)] for i in known]
    signals = np.stack([_millivolts(dataset, example["signal"]) for example in examples])
    return signals, truth[known], np.array([example["group"] for example in examples])


def _millivolts(dataset: Dataset, stored: np.ndarray) -> np.ndarray:
    storage = dataset.picture["signal"]
    signal = np.where(stored == storage["missing"], 0.0, stored * storage["uv_per_lsb"] / 1000)
    factor = storage["rate_hz"] / RATE_HZ
    return resample_poly(signal, 1, round(factor), axis=1).astype(np.float32)


def read_out(
    train: np.ndarray, truth: np.ndarray, test: np.ndarray, *, transform: Any, kernels: int
) -> np.ndarray:
    """Scores (m, k) of the test records, MiniRocket fitted on the training records."""
    rocket = transform(n_kernels=kernels, n_jobs=2, random_state=0).fit(train)
    scaler = StandardScaler()
    features = scaler.fit_transform(np.asarray(rocket.transform(train), np.float64))
    queries = scaler.transform(np.asarray(rocket.transform(test), np.float64))
    ridge = RidgeCV(alphas=np.logspace(-1, 6, 15), alpha_per_target=True)
    return ridge.fit(features, truth).predict(queries)


def main() -> int:
    """Runs the benchmark and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--task", default="superclass")
    parser.add_argument("--test", default="validation", help="split: validation is fold 9")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--kernels", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError:
        MiniRocket = None
    if MiniRocket is None or not given.data_dir:
        print(
            "minirocket: needs aeon and --data_dir; see benchmarks/minirocket.py", file=sys.stderr
        )
        return 0
    signals, truth, groups = read_split(given, "train")
    test, test_truth, test_groups = read_split(given, given.test)
    resamples = patient_resamples(test_groups, test_truth, num_resamples=1_000, seed=given.seed)
    for draw in draw_patients(groups, shares=(given.share,), draws=given.draws, seed=given.seed):
        start = time.perf_counter()
        scores = read_out(
            signals[draw.rows], truth[draw.rows], test, transform=MiniRocket, kernels=given.kernels
        )
        seconds = time.perf_counter() - start
        classes = tuple(map(str, range(truth.shape[1])))
        rows = compare_encoders(
            test_truth, {"rocket": scores}, resamples, classes=classes, confidence=0.95
        )
        line = {
            "benchmark": "minirocket",
            "subject": "aeon MiniRocket and ridge",
            "task": given.task,
            "train_records": len(draw.rows),
            "train_patients": draw.patients,
            "test_records": len(test),
            "draw": draw.number,
            "seed": given.seed,
            "macro_auroc": rows["rocket"]["macro"]["all"]["auroc"],
            "seconds": round(seconds, 1),
        }
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
