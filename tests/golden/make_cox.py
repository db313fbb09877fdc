"""Makes cox.json: Cox regression and C-index by lifelines 0.30.3 (MIT), for the tests of ours.

    python -m venv <env> && <env>/bin/pip install lifelines==0.30.3
    <env>/bin/python tests/golden/make_cox.py

Our objective is minus the log partial likelihood plus |w|^2 * penalty / 2. lifelines divides the
likelihood by the number of rows before it adds its own penalty |w|^2 * penalizer / 2, and takes
Efron's method for events at the same time, where ours has Breslow's: in the tied case only
censored records share a time with an event.
"""

import json
import pathlib

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index

PENALTIES = (0.1, 5.0)


def make_case(*, tied: bool) -> dict:
    """A small cohort, lifelines' coefficients at two penalties, and its C-index of a score."""
    rng = np.random.default_rng(int(tied))
    rows = 60
    features = np.round(rng.normal(size=(rows, 3)), 4)
    # Of unit deviation as lifelines scales them, so that the penalty is on the same numbers.
    features = (features - features.mean(axis=0)) / features.std(axis=0, ddof=1)
    times = np.round(rng.exponential(np.exp(-features @ [0.8, -0.5, 0.0])) * 100 + 1, 2)
    events = rng.random(rows) < 0.7
    if tied:
        # Censored records leave at the same times as others have their event.
        some = rng.choice(np.flatnonzero(events), (~events).sum())
        times[~events] = times[some]
    risk = np.round(features @ [1.0, -1.0, 0.5], 1)
    table = pd.DataFrame(features, columns=list("abc")).assign(time=times, event=events)
    coefficients = {}
    for penalty in PENALTIES:
        model = CoxPHFitter(penalizer=penalty / rows, l1_ratio=0.0)
        model.fit(table, "time", "event", fit_options={"precision": 1e-10})
        coefficients[str(penalty)] = model.params_.tolist()
    return {
        "features": features.tolist(),
        "times": times.tolist(),
        "events": events.astype(int).tolist(),
        "risk": risk.tolist(),
        "coefficients": coefficients,
        "c_index": concordance_index(times, -risk, events),
    }


if __name__ == "__main__":
    found = {"distinct": make_case(tied=False), "tied": make_case(tied=True)}
    path = pathlib.Path(__file__).with_name("cox.json")
    path.write_text(json.dumps(found) + "\n")
