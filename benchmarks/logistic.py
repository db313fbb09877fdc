"""The probe's solver against scikit-learn's logistic regression, the same optimum by both.

    python benchmarks/logistic.py            # seconds
    python benchmarks/logistic.py --rows=20000 --width=768 --penalties=10 --folds=5 --peer_labels=1

Without folds: one fit of several labels at several inverse penalties over one matrix, against
`LogisticRegression`; the two take turns. With folds: the whole probe (every fold at every penalty,
then the fit at the best), against `LogisticRegressionCV` on the same folds; it takes one label at a
time, and `--peer_labels` says how many it is given. The ratio is of seconds a label, of medians.
CPU seconds are those of all threads: on a busy machine they say what the clock does not. Prints one
JSON line.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedGroupKFold

from ecgmae_jax.evaluation.readouts.logistic import fit_logistic
from ecgmae_jax.evaluation.readouts.probes import fit_probe


def make_problem(rows: int, width: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised features with a falling spectrum, and labels that depend on them."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, width + 1) ** -0.5
    features = rng.normal(size=(rows, width)) * spectrum @ rng.normal(size=(width, width))
    features = (features - features.mean(0)) / features.std(0)
    scores = features @ rng.normal(size=(width, labels)) / np.sqrt(width)
    return features, (scores + rng.logistic(size=scores.shape) > 1).astype(np.float64)


def fits(features: np.ndarray, targets: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Our coefficients (m, k, d) at every penalty."""
    return fit_logistic(features, targets, inverse_penalties=grid)[0]


def peer_fits(features: np.ndarray, targets: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """scikit-learn's."""
    models = [
        [
            LogisticRegression(C=c, tol=1e-6, max_iter=10_000).fit(features, column)
            for column in targets.T
        ]
        for c in grid
    ]
    return np.array([[model.coef_[0] for model in row] for row in models])


def probe(features: np.ndarray, targets: np.ndarray, grid: np.ndarray, *, folds: int) -> np.ndarray:
    """Our coefficients (k, d) at the penalty of least held-out log loss."""
    found = fit_probe(
        features.astype(np.float32),
        targets.astype(np.float32),
        np.arange(len(features)),
        classes=[str(k) for k in range(targets.shape[1])],
        exclusive=False,
        grid=grid,
        num_folds=folds,
        seed=0,
        metadata={},
    )
    return found.coefficients


def peer_probe(
    features: np.ndarray, targets: np.ndarray, grid: np.ndarray, *, folds: int
) -> np.ndarray:
    """scikit-learn's, label by label."""
    found = []
    for column in targets.T:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
        parts = list(splitter.split(features, column, np.arange(len(features))))
        model = LogisticRegressionCV(
            Cs=grid,
            cv=parts,
            scoring="neg_log_loss",
            l1_ratios=(0.0,),
            tol=1e-6,
            max_iter=10_000,
            use_legacy_attributes=False,
        ).fit(features, column)
        found.append(model.coef_[0])
    return np.array(found)


def timed(function: Callable[[], np.ndarray]) -> tuple[np.ndarray, float, float]:
    """The result, seconds on the clock and seconds of CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - clock, time.process_time() - cpu


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_900)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--labels", type=int, default=5)
    parser.add_argument("--penalties", type=int, default=8)
    parser.add_argument("--folds", type=int, default=0, help="0: one fit without cross-validation")
    parser.add_argument("--peer_labels", type=int, default=5, help="0: ours alone")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    features, targets = make_problem(given.rows, given.width, given.labels)
    grid = 10.0 ** np.linspace(-6, 1, given.penalties)
    few = targets[:, : given.peer_labels]
    if given.folds:
        ours = lambda: probe(features, targets, grid, folds=given.folds)  # noqa: E731
        theirs = lambda: peer_probe(features, few, grid, folds=given.folds)  # noqa: E731
    else:
        ours = lambda: fits(features, targets, grid)  # noqa: E731
        theirs = lambda: peer_fits(features, few, grid)  # noqa: E731

    calls = (ours, theirs) if given.peer_labels else (ours,)
    rounds = [[timed(call) for call in calls] for _ in range(given.rounds)]
    clock, cpu = (statistics.median(row[0][what] for row in rounds) for what in (1, 2))
    line = {
        "benchmark": "logistic",
        "subject": "fit_probe" if given.folds else "fit_logistic",
        "rows": given.rows,
        "width": given.width,
        "labels": given.labels,
        "penalties": given.penalties,
        "folds": given.folds,
        "subject_seconds": round(clock, 3),
        "subject_cpu_seconds": round(cpu, 3),
    }
    if given.peer_labels:
        peer_clock, peer_cpu = (
            statistics.median(row[1][what] for row in rounds) for what in (1, 2)
        )
        share = few.shape[1] / given.labels
        (mine, *_), (peer, *_) = rounds[-1]
        line |= {
            "peer": f"scikit-learn LogisticRegression{'CV' if given.folds else ''} (lbfgs)",
            "peer_labels": few.shape[1],
            "peer_seconds": round(peer_clock, 3),
            "peer_cpu_seconds": round(peer_cpu, 3),
            "ratio": round(peer_clock / clock / share, 2),
            "cpu_ratio": round(peer_cpu / cpu / share, 2),
            "largest_difference": float(np.abs(mine[..., : few.shape[1], :] - peer).max()),
        }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
