"""The probe's solver against scikit-learn's LogisticRegression, the same optimum by both.

    python benchmarks/logistic.py            # seconds
    python benchmarks/logistic.py --rows=20000 --width=768 --penalties=10

One fold of a probe: several labels at several inverse penalties over one matrix. The two take
turns in one process; the figure is the ratio of the medians. Prints one JSON line.
"""

import argparse
import json
import statistics
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

from ecgmae_jax.evaluation.logistic import fit_logistic


def make_problem(rows: int, width: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised features with a falling spectrum, and labels that depend on them."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, width + 1) ** -0.5
    features = rng.normal(size=(rows, width)) * spectrum @ rng.normal(size=(width, width))
    features = (features - features.mean(0)) / features.std(0)
    scores = features @ rng.normal(size=(width, labels)) / np.sqrt(width)
    return features, (scores + rng.logistic(size=scores.shape) > 1).astype(np.float64)


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_900)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--labels", type=int, default=5)
    parser.add_argument("--penalties", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    features, targets = make_problem(given.rows, given.width, given.labels)
    grid = 10.0 ** np.linspace(-6, 1, given.penalties)

    def ours() -> np.ndarray:
        return fit_logistic(features, targets, inverse_penalties=grid)[0]

    def theirs() -> np.ndarray:
        models = [
            [
                LogisticRegression(C=c, tol=1e-6, max_iter=10_000).fit(features, column)
                for column in targets.T
            ]
            for c in grid
        ]
        return np.array([[model.coef_[0] for model in row] for row in models])

    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    found = {}
    for _ in range(given.rounds):
        for name, function in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            found[name] = function()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    line = {
        "benchmark": "logistic",
        "subject": "fit_logistic",
        "peer": "scikit-learn LogisticRegression (lbfgs)",
        "rows": given.rows,
        "width": given.width,
        "labels": given.labels,
        "penalties": given.penalties,
        "subject_seconds": round(medians["ours"], 3),
        "peer_seconds": round(medians["theirs"], 3),
        "ratio": round(medians["theirs"] / medians["ours"], 2),
        "largest_difference": float(np.abs(found["ours"] - found["theirs"]).max()),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
