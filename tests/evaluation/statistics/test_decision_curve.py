import numpy as np

from ecgmae_jax.evaluation.statistics.decision_curve import net_benefit, net_benefit_of_all

THRESHOLDS = np.array([0.05, 0.2, 0.5, 0.8])


def test_net_benefit_is_the_formula():
    rng = np.random.default_rng(1)
    truth, probabilities = (rng.random(80) < 0.3).astype(np.float64), rng.random(80).round(1)
    expected = []
    for threshold in THRESHOLDS:
        called = probabilities >= threshold
        found, false = (called & (truth == 1)).sum(), (called & (truth == 0)).sum()
        expected.append(found / 80 - false / 80 * threshold / (1 - threshold))
    found = net_benefit(truth, probabilities, thresholds=THRESHOLDS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_no_model_is_better_than_the_truth_and_all_cross_zero_at_the_prevalence():
    truth = np.repeat([1.0, 0.0], [20, 80])
    np.testing.assert_allclose(net_benefit(truth, truth, thresholds=THRESHOLDS), 0.2, rtol=1e-12)
    np.testing.assert_allclose(
        net_benefit_of_all(truth, thresholds=np.array([0.2])), [0.0], atol=1e-12
    )
    expected = 0.2 - 0.8 * THRESHOLDS / (1 - THRESHOLDS)
    found = net_benefit_of_all(truth, thresholds=THRESHOLDS)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    nobody = net_benefit(truth, np.zeros(100), thresholds=THRESHOLDS)
    assert nobody.tolist() == [0.0] * 4
