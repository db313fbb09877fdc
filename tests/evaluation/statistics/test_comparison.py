import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples

CLASSES = ("common", "rare", "absent", "frequent")


@pytest.fixture
def scored():
    rng = np.random.default_rng(8)
    truth = np.zeros((150, 4), np.float32)
    truth[:20, 0] = truth[20:26, 1] = truth[:100, 3] = 1
    good = truth + rng.normal(size=truth.shape)
    poor = 0.3 * truth + rng.normal(size=truth.shape)
    groups = np.arange(150) // 2
    return truth, {"good": good, "copy": good.copy(), "poor": poor}, groups


@pytest.fixture
def compared(scored):
    truth, scores, groups = scored
    resamples = patient_resamples(groups, truth, num_resamples=60, seed=0)
    return compare_encoders(truth, scores, resamples, classes=CLASSES, confidence=0.9), resamples


def test_means_are_over_the_labels_that_have_a_figure_and_say_how_many(scored, compared):
    truth, scores, _ = scored
    macro = compared[0]["poor"]["macro"]
    for name, used in (("all", [0, 1, 3]), ("common", [0, 3])):
        assert macro[name]["labels"] == len(used)
        for measure, function in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
            expected = np.mean([function(truth[:, k], scores["poor"][:, k]) for k in used])
            np.testing.assert_allclose(macro[name][measure]["value"], expected, rtol=1e-12)


def test_intervals_are_the_quantiles_over_repeated_records(scored, compared):
    truth, scores, _ = scored
    rows, resamples = compared
    values = []
    for weights in resamples.weights:
        drawn = np.repeat(np.arange(150), weights)
        area = {
            name: np.mean([roc_auc_score(truth[drawn, k], s[drawn, k]) for k in (0, 1, 3)])
            for name, s in scores.items()
        }
        values.append((area["poor"], area["poor"] - area["good"]))
    expected = np.quantile(values, [0.05, 0.95], axis=0)
    for i, found in enumerate((rows["poor"]["macro"], rows["poor"]["difference"])):
        interval = found["all"]["auroc"]
        np.testing.assert_allclose([interval["low"], interval["high"]], expected[:, i], rtol=1e-9)


def test_differences_are_paired_and_against_the_first(compared):
    rows = compared[0]
    assert "difference" not in rows["good"]
    assert rows["copy"]["difference"]["to"] == "good"
    assert rows["copy"]["difference"]["all"]["auroc"] == {"value": 0, "low": 0, "high": 0}
    assert rows["poor"]["difference"]["all"]["auroc"]["high"] < 0


def test_labels_carry_their_counts_and_an_absent_class_has_no_figure(compared):
    labels = {entry["label"]: entry for entry in compared[0]["good"]["labels"]}
    assert (labels["rare"]["n"], labels["rare"]["positives"]) == (150, 6)
    assert labels["rare"]["prevalence"] == pytest.approx(0.04)
    assert labels["absent"]["auroc"] == {"value": None, "low": None, "high": None}
    assert labels["absent"]["auprc"] == {"value": None, "low": None, "high": None}
