import json

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.survival import cox_risk, fit_cox
from ecgmae_jax.evaluation.statistics.concordance import concordance


@pytest.fixture(scope="module")
def golden(repository):
    return json.loads((repository / "tests" / "golden" / "cox.json").read_text())


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(160, 4)).astype(np.float32)
    hazard = np.exp(features @ [1.2, -0.8, 0, 0])
    times = rng.exponential(1 / hazard)
    censored = rng.exponential(1.5, 160)
    return features, np.minimum(times, censored), times <= censored, np.repeat(np.arange(80), 2)


@pytest.mark.parametrize("case", ["distinct", "tied"])
def test_coefficients_agree_with_an_independent_library(golden, case):
    found = golden[case]
    features, times = np.array(found["features"]), np.array(found["times"])
    events = np.array(found["events"], bool)
    for penalty, expected in found["coefficients"].items():
        weights = fit_cox(features, times, events, inverse_penalty=1 / float(penalty))
        np.testing.assert_allclose(weights, expected, atol=2e-4)


def test_the_order_and_the_unit_of_time_do_not_matter(cohort):
    features, times, events, _ = cohort
    order = np.random.default_rng(2).permutation(160)
    one = fit_cox(features.astype(float), times, events, inverse_penalty=1.0)
    other = fit_cox(
        features[order].astype(float), 365 * times[order], events[order], inverse_penalty=1.0
    )
    np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(one, [1.2, -0.8, 0, 0], atol=0.35)


def test_more_features_than_records_and_hardly_a_penalty():
    """The answer turns with the features, which span no more than the records do."""
    rng = np.random.default_rng(0)
    features, times = rng.standard_normal((40, 100)), rng.exponential(size=40)
    events = rng.random(40) < 0.4
    turn = np.linalg.qr(rng.standard_normal((100, 100)))[0]
    weights = fit_cox(features, times, events, inverse_penalty=10.0)
    turned = fit_cox(features @ turn, times, events, inverse_penalty=10.0)
    np.testing.assert_allclose(turn @ turned, weights, atol=1e-5)
    padded = np.concatenate([features, np.zeros((40, 3))], axis=1)
    found = fit_cox(padded, times, events, inverse_penalty=10.0)
    np.testing.assert_allclose(found, [*weights, 0, 0, 0], atol=1e-5)


def test_held_out_risk_orders_the_events(cohort):
    features, times, events, groups = cohort
    train, test = slice(0, 100), slice(100, 160)
    risk, chosen = cox_risk(
        features[train],
        times[train],
        events[train],
        groups[train],
        features[test],
        grid=(1e-6, 1e-2, 1.0),
        num_folds=4,
        seed=0,
    )
    assert chosen in (1e-2, 1.0)
    assert concordance(times[test], events[test], risk, np.ones((1, 60)))[0] > 0.7


def test_an_event_of_too_few_patients_is_refused(cohort):
    features, times, _, groups = cohort
    rare = np.arange(160) < 3
    with pytest.raises(InputError, match=r"2 training patients have the event, 4 folds"):
        cox_risk(features, times, rare, groups, features, grid=(1.0,), num_folds=4, seed=0)
