import numpy as np
import pytest

from ecgmae_jax.evaluation.statistics.calibration_curve import (
    grouped,
    integrated_index,
    local_linear,
    smooth_curve,
)


@pytest.fixture
def predicted():
    rng = np.random.default_rng(3)
    probabilities = rng.beta(1, 3, size=400)
    return (rng.random(400) < probabilities).astype(np.float64), probabilities


def test_a_line_is_its_own_local_fit():
    x = np.random.default_rng(0).random(50)
    at = np.array([0.0, 0.31, 1.0])
    np.testing.assert_allclose(local_linear(x, 2 - 3 * x, at=at, span=0.4), 2 - 3 * at, rtol=1e-9)


def test_each_point_is_a_weighted_least_squares_line(predicted):
    y, x = predicted
    for point in (0.05, 0.4, 0.8):
        distance = np.abs(x - point)
        weight = np.clip(1 - (distance / np.sort(distance)[299]) ** 3, 0, None) ** 3
        slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weight))
        found = local_linear(x, y, at=np.array([point]), span=0.75)
        np.testing.assert_allclose(found, [slope * point + intercept], rtol=1e-9)


def test_equal_predictions_give_the_observed_share():
    truth = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    at, observed = smooth_curve(truth, np.full(5, 0.3))
    np.testing.assert_allclose([at, observed], [[0.3], [0.4]], rtol=1e-12)
    np.testing.assert_allclose(integrated_index(np.full(5, 0.3), (at, observed)), 0.1, rtol=1e-9)


def test_the_index_is_small_where_predictions_are_risks_and_large_where_not(predicted):
    truth, probabilities = predicted
    right = integrated_index(probabilities, smooth_curve(truth, probabilities))
    wrong = integrated_index(np.sqrt(probabilities), smooth_curve(truth, np.sqrt(probabilities)))
    assert right < 0.05 < 0.15 < wrong


def test_groups_are_all_records_in_order_with_ties_together(predicted):
    truth, probabilities = predicted
    groups = grouped(truth, probabilities, num_groups=10, confidence=0.95)
    assert [group.records for group in groups] == [40] * 10
    assert sum(group.positives for group in groups) == truth.sum()
    means = [group.predicted for group in groups]
    assert means == sorted(means)
    first = probabilities <= np.sort(probabilities)[39]
    np.testing.assert_allclose(groups[0].observed.value, truth[first].mean(), rtol=1e-12)
    tied = grouped(truth, np.where(probabilities < 0.3, 0.1, 0.5), num_groups=10, confidence=0.95)
    assert [group.predicted for group in tied] == pytest.approx([0.1, 0.5])
