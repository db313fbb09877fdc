import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from ecgmae_jax.evaluation.statistics.kaplan_meier import event_free_share, number_at_risk


@pytest.fixture
def followed():
    rng = np.random.default_rng(7)
    times, censored = rng.exponential(3.0, 120), rng.exponential(4.0, 120)
    # Rounded, so that events and censored records share times.
    return np.round(np.minimum(times, censored), 1) + 0.1, times <= censored


def test_it_agrees_with_an_independent_library_under_every_weighting(followed):
    times, events = followed
    weights = np.random.default_rng(1).integers(0, 3, (4, 120)).astype(np.uint16)
    steps = np.unique(times[events])
    found = event_free_share(times, events, weights, at=steps)
    for i, weight in enumerate(weights):
        rows = np.repeat(np.arange(120), weight)
        expected = SurvfuncRight(times[rows], events[rows].astype(float))
        share = expected.surv_prob[np.searchsorted(expected.surv_times, steps, side="right") - 1]
        share = np.where(steps < expected.surv_times[0], 1.0, share)
        known = steps <= times[rows].max()
        np.testing.assert_allclose(found[i, known], share[known], rtol=1e-12)


def test_the_numbers_at_risk_are_those_of_the_library(followed):
    times, events = followed
    expected = SurvfuncRight(times, events.astype(float))
    found = number_at_risk(times, at=expected.surv_times)
    np.testing.assert_array_equal(found, expected.n_risk)


def test_by_hand():
    times = np.array([2.0, 3.0, 3.0, 5.0, 8.0])
    events = np.array([True, True, False, True, False])
    found = event_free_share(
        times, events, np.ones((1, 5)), at=np.array([1.0, 2.0, 4.0, 5.0, 8.0, 9.0])
    )
    np.testing.assert_allclose(found[0, :5], [1, 4 / 5, 3 / 5, 3 / 10, 3 / 10])
    assert np.isnan(found[0, 5])


def test_where_nobody_was_censored_it_is_the_share_and_stays_at_nothing():
    times = np.array([1.0, 2.0, 4.0, 4.0])
    found = event_free_share(
        times, np.ones(4, bool), np.ones((2, 4)), at=np.array([0.5, 1.0, 3.0, 4.0, 9.0])
    )
    np.testing.assert_allclose(found, [[1, 0.75, 0.5, 0, 0]] * 2)


def test_without_any_event_all_stay():
    times = np.array([1.0, 2.0])
    found = event_free_share(
        times, np.zeros(2, bool), np.ones((1, 2)), at=np.array([1.0, 2.0, 3.0])
    )
    np.testing.assert_array_equal(found, [[1, 1, np.nan]])
