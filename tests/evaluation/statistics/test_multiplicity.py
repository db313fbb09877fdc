import numpy as np

from ecgmae_jax.evaluation.statistics.multiplicity import holm


def test_holm_is_its_step_down_rule():
    """Hypotheses are rejected one after the other while p_(i) <= level / (m - i + 1)."""
    rng = np.random.default_rng(0)
    p_values = rng.random(12) ** 3
    adjusted = holm(p_values)
    for level in (0.001, 0.01, 0.05, 0.2, 0.7):
        rejected = set()
        for i, position in enumerate(np.argsort(p_values)):
            if p_values[position] > level / (12 - i):
                break
            rejected.add(int(position))
        assert set(np.flatnonzero(adjusted <= level).tolist()) == rejected


def test_it_lies_between_no_correction_and_bonferronis():
    p_values = np.array([0.01, 0.04, 0.03, 0.5])
    adjusted = holm(p_values)
    np.testing.assert_allclose(adjusted, [0.04, 0.09, 0.09, 0.5], rtol=1e-12)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, 4 * p_values)).all()


def test_what_was_not_tested_does_not_count():
    adjusted = holm(np.array([0.02, np.nan, 0.03]))
    np.testing.assert_allclose(adjusted, [0.04, np.nan, 0.04])
    assert len(holm(np.array([]))) == 0
