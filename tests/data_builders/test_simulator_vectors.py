import numpy as np
import pytest

from data_builders.simulated_ecg import torso
from data_builders.simulated_ecg.vectorcardiogram import dipole_signal, joined, rotation, wave

RATE_HZ = 500.0


def gaussian(time_s, centre_s, sigma_s):
    return np.exp(-0.5 * ((time_s - centre_s) / sigma_s) ** 2)


def test_a_wave_is_a_gaussian_in_time_along_its_vector():
    p = wave(0.1, 0.1, rise_s=0.02, fall_s=0.02, dipole_mv=(1.0, -2.0, 0.5))
    signal = dipole_signal([(0.3, p)], num_samples=500, rate_hz=RATE_HZ)
    expected = gaussian(np.arange(500) / RATE_HZ, 0.4, 0.02)
    np.testing.assert_allclose(signal, np.outer([1.0, -2.0, 0.5], expected), atol=2e-4)


def test_a_wave_may_have_a_flat_top_and_unequal_sides():
    st = wave(0.1, 0.2, rise_s=0.01, fall_s=0.05, dipole_mv=(1.0, 0.0, 0.0))
    x = dipole_signal([(0.3, st)], num_samples=500, rate_hz=RATE_HZ)[0]
    time_s = np.arange(500) / RATE_HZ
    np.testing.assert_allclose(x[(time_s > 0.401) & (time_s < 0.499)], 1.0, atol=1e-12)
    before, after = time_s < 0.4, time_s > 0.5
    np.testing.assert_allclose(x[before], gaussian(time_s[before], 0.4, 0.01), atol=1e-4)
    np.testing.assert_allclose(x[after], gaussian(time_s[after], 0.5, 0.05), atol=1e-4)


def test_beats_add_up_and_may_reach_in_from_outside():
    one = wave(0.0, 0.0, rise_s=0.05, fall_s=0.05, dipole_mv=(1.0, 1.0, 1.0))
    two = wave(0.1, 0.1, rise_s=0.05, fall_s=0.05, dipole_mv=(-0.5, 0.0, 2.0))
    draw = {"num_samples": 400, "rate_hz": RATE_HZ}
    together = dipole_signal([(-0.05, joined([one, two])), (0.7, one)], **draw)
    apart = [dipole_signal([beat], **draw) for beat in ((-0.05, one), (-0.05, two), (0.7, one))]
    np.testing.assert_allclose(together, sum(apart), atol=5e-4)
    assert together[0, 0] == pytest.approx(np.exp(-0.5) - 0.5 * np.exp(-0.5), abs=1e-3)
    assert not dipole_signal([(-9.0, one), (9.0, one)], **draw).any()


def test_rotations_turn_the_axes_as_documented():
    degrees = {"frontal_deg": 0.0, "horizontal_deg": 0.0, "sagittal_deg": 0.0}
    left, feet, back = np.eye(3)
    for name, before, after in (
        ("frontal_deg", left, feet),
        ("horizontal_deg", left, back),
        ("sagittal_deg", feet, back),
    ):
        np.testing.assert_allclose(rotation(**{**degrees, name: 90.0}) @ before, after, atol=1e-12)
    turn = rotation(frontal_deg=20.0, horizontal_deg=-35.0, sagittal_deg=50.0)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_limb_leads_agree_with_the_electrodes_formulas():
    potentials = np.random.default_rng(0).normal(size=(9, 50))
    right, left, foot = potentials[:3]
    centre = (right + left + foot) / 3
    expected = [
        left - right,
        foot - right,
        foot - left,
        right - (left + foot) / 2,
        left - (right + foot) / 2,
        foot - (right + left) / 2,
        *(potentials[3:] - centre),
    ]
    np.testing.assert_allclose(torso.leads_from_electrodes(potentials), expected, atol=1e-12)


def test_a_published_matrix_gives_the_published_limb_leads():
    # Rows III, aVR, aVL, aVF as tabulated with the other rows of the Dower transform.
    published = [
        [-0.397, 1.301, -0.191],
        [-0.434, -0.415, 0.037],
        [0.515, -0.768, 0.125],
        [-0.081, 1.184, -0.162],
    ]
    np.testing.assert_allclose(torso.lead_matrix(torso.DOWER)[2:6], published, atol=1.1e-3)


def test_displaced_electrodes_stay_near_and_are_themselves_without_spread():
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(torso.displaced(torso.DOWER, rng, spread=0.0), torso.DOWER)
    many = np.stack([torso.displaced(torso.DOWER, rng, spread=1.0) for _ in range(400)])
    np.testing.assert_allclose(many.mean(axis=0), torso.DOWER, atol=0.08)
    assert 0.03 < many[:, 3, 2].std() < 0.35
