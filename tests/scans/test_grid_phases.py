import numpy as np
import pytest

from ecgmae_jax.scans.grid_phases import GridPhases, coherence, plainness
from ecgmae_jax.scans.smooth_surfaces import plane

PX_PER_MM = 2.0
FLAT = plane(across=400 / PX_PER_MM / 2)


def lines(*, shift_mm=0.0, stretch=1.0):
    """300 x 400 pixels of upright lines 5 mm apart, moved to the right and stretched."""
    x_mm = (np.arange(400) + 0.5 - 200) / PX_PER_MM
    wave = np.cos(2 * np.pi * (x_mm * stretch - shift_mm) / 5)
    return np.tile(wave, (300, 1)).astype(np.float32)


@pytest.mark.parametrize("shift_mm", [0.0, 1.0, -2.0])
def test_the_phase_is_the_shift(shift_mm):
    phases = GridPhases.of(lines(shift_mm=shift_mm), px_per_mm=PX_PER_MM)
    heard = phases.heard(FLAT, width_mm=5.0)[8:-8, 8:-8]
    np.testing.assert_allclose(np.angle(heard), -2 * np.pi * shift_mm / 5, atol=0.02)
    # Half of a cosine is at either frequency; what is taken for light is its mean over one and a
    # half of its periods.
    taken_for_light = np.sinc(1.5)
    np.testing.assert_allclose(np.abs(heard), 0.5 * (1 - taken_for_light), atol=0.005)


def test_the_phases_slopes_and_the_phases_tell_the_stretch():
    phases = GridPhases.of(lines(stretch=1.06), px_per_mm=PX_PER_MM)
    rough = phases.by_slopes(FLAT, phases.heard(FLAT, width_mm=3.0))
    assert rough[0, 1] == pytest.approx(1.06 * FLAT[0, 1], rel=0.01)
    exact = phases.by_phases(rough, phases.heard(rough, width_mm=6.0))
    assert exact[0, 1] == pytest.approx(1.06 * FLAT[0, 1], rel=1e-3)
    assert coherence(phases.heard(exact, width_mm=6.0)) > 0.999


def test_light_that_changes_slowly_is_not_heard():
    layer = lines()
    lit = layer + 5 * np.linspace(0, 1, 300, dtype=np.float32)[:, None]
    heard = [
        GridPhases.of(one, px_per_mm=PX_PER_MM).heard(FLAT, width_mm=5.0)[8:-8, 8:-8]
        for one in (layer, lit)
    ]
    np.testing.assert_allclose(heard[0], heard[1], atol=0.02)


def test_coherence_is_of_phases_and_plainness_of_amplitudes():
    same = np.full((6, 8), 0.3 + 0.4j, np.complex64)
    assert coherence(same) == pytest.approx(1)
    np.testing.assert_allclose(plainness(same), 1)
    opposed = same * np.where(np.arange(8) % 2, 1, -1)
    assert coherence(opposed.astype(np.complex64)) == pytest.approx(0, abs=1e-6)
    same[:, 5:] *= 0.5
    np.testing.assert_allclose(plainness(same)[:, 5:], 0.25, rtol=1e-5)
    assert coherence(np.zeros((6, 8), np.complex64)) == 0
