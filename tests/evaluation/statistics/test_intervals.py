import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.discrimination import weighted_auroc
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples, percentile_interval


def _one_label(num_records, num_positives):
    truth = np.zeros((num_records, 1), np.float32)
    truth[:num_positives] = 1
    return truth


def _delong_error(truth, scores):
    """DeLong, DeLong and Clarke-Pearson 1988, for one curve."""
    wins = (scores[truth == 1][:, None] > scores[truth == 0]).astype(float)
    by_positive, by_negative = wins.mean(axis=1), wins.mean(axis=0)
    return np.sqrt(
        by_positive.var(ddof=1) / len(by_positive) + by_negative.var(ddof=1) / len(by_negative)
    )


def test_the_spread_agrees_with_delong_where_each_patient_has_one_record():
    rng = np.random.default_rng(4)
    truth = _one_label(400, 130)
    scores = truth[:, 0] + rng.normal(size=400)
    resamples = patient_resamples(np.arange(400), truth, num_resamples=2000, seed=0)
    spread = weighted_auroc(truth[:, 0], scores, resamples.weights).std()
    np.testing.assert_allclose(spread, _delong_error(truth[:, 0], scores), rtol=0.06)


def test_whole_patients_are_drawn_as_many_as_there_are():
    groups = np.repeat([f"p{i}" for i in range(30)], np.arange(30) % 3 + 1)
    truth = _one_label(len(groups), 25)
    weights = patient_resamples(groups, truth, num_resamples=300, seed=1).weights
    first = np.unique(groups, return_index=True)[1]
    assert (weights[:, first].sum(axis=1) == 30).all()
    for patient in np.unique(groups):
        assert (np.ptp(weights[:, groups == patient], axis=1) == 0).all()


def test_copies_of_a_patients_records_do_not_narrow_the_interval():
    rng = np.random.default_rng(5)
    truth = _one_label(120, 40)
    scores = truth[:, 0] + rng.normal(size=120)
    spreads = []
    for copies in (1, 4):
        groups = np.repeat(np.arange(120), copies)
        repeated = np.repeat(truth, copies, axis=0)
        weights = patient_resamples(groups, repeated, num_resamples=400, seed=2).weights
        areas = weighted_auroc(repeated[:, 0], np.repeat(scores, copies), weights)
        spreads.append(areas.std())
    np.testing.assert_allclose(spreads[0], spreads[1], rtol=1e-9)


def test_a_resample_without_a_class_is_drawn_again():
    truth = _one_label(60, 1)
    resamples = patient_resamples(np.arange(60), truth, num_resamples=200, seed=0)
    assert (resamples.weights[:, 0] > 0).all()
    # One patient of sixty is missing from a share (59/60)^60 = 0.365 of all draws.
    np.testing.assert_allclose(200 / resamples.num_draws, 1 - (59 / 60) ** 60, atol=0.1)


def test_labels_too_rare_for_redrawing_lose_their_interval_and_the_others_keep_it():
    truth = np.zeros((200, 21), np.float32)
    truth[np.arange(20), np.arange(20)] = 1
    truth[:50, 20] = 1
    resamples = patient_resamples(np.arange(200), truth, num_resamples=50, seed=0)
    assert resamples.required.tolist() == [False] * 20 + [True]
    assert resamples.weights.shape == (50, 200)


def test_hopeless_redrawing_ends_with_a_message():
    truth = np.zeros((400, 12), np.float32)
    groups = np.arange(400)
    for k in range(12):
        truth[10 * k : 10 * k + 10, k] = 1
        groups[10 * k : 10 * k + 10] = k
    with pytest.raises(InputError, match=r"2000 draws of 292 test patients gave fewer than 100"):
        patient_resamples(groups, truth, num_resamples=100, seed=0)


def test_the_interval_is_the_middle_share():
    found = percentile_interval(50.0, np.arange(101.0), confidence=0.9)
    assert found.value == 50.0
    np.testing.assert_allclose([found.low, found.high], [5.0, 95.0], rtol=1e-12)
    assert np.isnan(percentile_interval(0.5, np.array([0.4, np.nan]), confidence=0.9).low)
