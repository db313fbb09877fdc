import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgmae_jax.evaluation.statistics.discrimination import (
    auprc,
    auroc,
    labels_with,
    weighted_auprc,
    weighted_auroc,
)


@pytest.fixture(params=["all scores differ", "many ties"])
def scored(request):
    rng = np.random.default_rng(2)
    truth = (rng.random(90) < 0.3).astype(np.float32)
    scores = truth + rng.normal(size=90)
    return truth, scores if request.param == "all scores differ" else np.round(scores)


def _mann_whitney(truth, scores):
    gaps = scores[truth == 1][:, None] - scores[truth == 0]
    return ((gaps > 0) + 0.5 * (gaps == 0)).mean()


def test_auroc_is_the_mann_whitney_statistic(scored):
    truth, scores = scored
    expected = _mann_whitney(truth, scores)
    ones = np.ones((1, 90), np.uint16)
    np.testing.assert_allclose(auroc(truth, scores), expected, rtol=1e-12)
    np.testing.assert_allclose(weighted_auroc(truth, scores, ones), [expected], rtol=1e-12)


def test_weights_act_as_repeated_records(scored):
    truth, scores = scored
    weights = np.random.default_rng(3).integers(0, 4, size=(25, 90)).astype(np.uint16)
    for row, area, precision in zip(
        weights,
        weighted_auroc(truth, scores, weights),
        weighted_auprc(truth, scores, weights),
        strict=True,
    ):
        repeated = np.repeat(truth, row), np.repeat(scores, row)
        np.testing.assert_allclose(area, roc_auc_score(*repeated), rtol=1e-12)
        np.testing.assert_allclose(precision, average_precision_score(*repeated), rtol=1e-12)


def test_only_the_order_counts_and_reversing_it_mirrors(scored):
    truth, scores = scored
    assert auroc(truth, np.exp(scores)) == auroc(truth, scores)
    np.testing.assert_allclose(auroc(truth, -scores), 1 - auroc(truth, scores), rtol=1e-12)
    assert auprc(truth, truth) == 1.0


def test_equal_scores_give_a_half_and_the_prevalence(scored):
    truth, _ = scored
    assert auroc(truth, np.zeros(90)) == 0.5
    np.testing.assert_allclose(auprc(truth, np.zeros(90)), truth.mean(), rtol=1e-6)


def test_a_label_without_both_classes_has_no_figure_and_is_not_counted():
    truth = np.array([[1, 0, 1, 1], [1, 0, 0, 1], [1, 0, 0, 0]], np.float32)
    assert np.isnan(auroc(truth[:, 0], np.arange(3.0)))
    assert np.isnan(auprc(truth[:, 1], np.arange(3.0)))
    assert labels_with(truth).tolist() == [False, False, True, True]
    assert labels_with(truth, min_positives=2).tolist() == [False, False, False, True]
    absent = np.array([[1, 0, 0], [1, 1, 1]])
    areas = weighted_auroc(truth[:, 2], np.arange(3.0), absent)
    assert np.isnan(areas[0])
    assert areas[1] == 0.0
