import numpy as np
import pytest
from sklearn.metrics import r2_score

from ecgmae_jax.evaluation.statistics.outcome_measures import (
    NumericTruth,
    compare_measures,
    outcome_measures,
    outcome_weights,
)


def test_intervals_and_differences_are_those_of_resampled_patients():
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=60), np.repeat([f"p{i}" for i in range(20)], 3)
    predictions = {
        name: values + scale * rng.normal(size=60) for name, scale in (("a", 1), ("b", 2))
    }
    weights = outcome_weights(NumericTruth(values), groups, num_resamples=40, seed=3)
    assert weights.shape == (41, 60)
    np.testing.assert_array_equal(weights[0], 1)
    # Whole patients: the three records of one occur alike.
    assert (weights.reshape(41, 20, 3) == weights.reshape(41, 20, 3)[:, :, :1]).all()
    measures = {
        n: outcome_measures(NumericTruth(values), p, weights) for n, p in predictions.items()
    }
    found = compare_measures(measures, confidence=0.9)
    scores = {
        name: [
            r2_score(values[rows], p[rows])
            for rows in (np.repeat(np.arange(60), weight) for weight in weights)
        ]
        for name, p in predictions.items()
    }
    low, high = np.quantile(scores["b"][1:], [0.05, 0.95])
    assert found["b"]["r2"] == pytest.approx({"value": scores["b"][0], "low": low, "high": high})
    less = np.subtract(scores["b"], scores["a"])
    assert found["b"]["difference"]["to"] == "a"
    assert found["b"]["difference"]["r2"]["high"] == pytest.approx(np.quantile(less[1:], 0.95))
    assert "difference" not in found["a"]


def test_what_is_known_of_a_time_is_both_time_and_event():
    truth = NumericTruth(np.array([1.0, np.nan, 2.0]), np.array([1.0, 0.0, np.nan]))
    assert truth.kind == "time-to-event"
    assert truth.known.tolist() == [True, False, False]
    assert truth.only(truth.known).events.tolist() == [1.0]
    assert NumericTruth(np.array([1.0, np.nan])).known.tolist() == [True, False]
