import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgmae_jax.evaluation.statistics.concordance import concordance


@pytest.fixture(scope="module")
def golden(repository):
    return json.loads((repository / "tests" / "golden" / "cox.json").read_text())


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    times, censored = rng.exponential(1.0, 160), rng.exponential(1.5, 160)
    risk = np.round(rng.normal(size=160) - np.log(times), 1)
    return np.round(np.minimum(times, censored), 1), times <= censored, risk


@pytest.mark.parametrize("case", ["distinct", "tied"])
def test_it_agrees_with_an_independent_library(golden, case):
    found = golden[case]
    times, events = np.array(found["times"]), np.array(found["events"], bool)
    risk = np.array(found["risk"])
    once = np.ones((1, len(times)))
    assert concordance(times, events, risk, once)[0] == pytest.approx(found["c_index"], abs=1e-9)


def test_with_one_time_for_all_events_it_is_the_area_under_the_curve(cohort):
    _, events, risk = cohort
    times = np.where(events, 1.0, 2.0)
    found = concordance(times, events, risk, np.ones((1, 160)))[0]
    assert found == pytest.approx(roc_auc_score(events, risk))


def test_weights_count_as_copies(cohort):
    times, events, risk = cohort
    weights = np.random.default_rng(1).integers(0, 3, (4, 160)).astype(np.uint16)
    found = concordance(times, events, risk, weights)
    for i, weight in enumerate(weights):
        rows = np.repeat(np.arange(160), weight)
        right = pairs = 0.0
        for a in rows:
            for b in rows:
                later = times[b] > times[a] or (times[b] == times[a] and not events[b])
                if events[a] and later:
                    pairs += 1
                    right += (risk[a] > risk[b]) + 0.5 * (risk[a] == risk[b])
        assert found[i] == pytest.approx(right / pairs)


def test_without_an_event_there_is_none(cohort):
    times, _, risk = cohort
    assert np.isnan(concordance(times, np.zeros(160, bool), risk, np.ones((1, 160)))).all()
