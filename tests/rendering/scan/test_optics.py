import numpy as np
import pytest
from scipy import ndimage, stats

from ecgmae_jax.rendering.scan import optics
from ecgmae_jax.rendering.scan.view import View


def test_a_point_becomes_a_gaussian(apply, view, draws, page):
    sigma_px = 1.2
    blurred = apply(optics.focus_blur, page, sigma_px / view.px_per_mm, draws(0), view, largest=2.0)
    borders = np.arange(-4, 6) - 0.5
    kernel = np.diff(stats.norm.cdf(borders / sigma_px))
    kernel /= kernel.sum()
    expected = np.float64(page[:, :, 0])
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, kernel, axis=axis, mode="nearest")
    np.testing.assert_allclose(blurred[:, :, 0], expected, atol=1e-3)


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_motion_spreads_a_line_evenly_along_its_way(apply, view, angle):
    # Draw 0 is the direction in half turns: along the rows, along the columns.
    own = np.full(24, angle, np.float32)
    dot = np.zeros((view.height, view.width, 1))
    dot[40, 60] = 1
    moved = apply(optics.motion_blur, dot, 4 / view.px_per_mm, own, view, largest=4 / 0.64)
    assert moved.sum() == pytest.approx(1, abs=1e-5)
    line = moved[40, :, 0] if angle == 0 else moved[:, 60, 0]
    assert line.sum() == pytest.approx(1, abs=1e-3)
    centre = 60 if angle == 0 else 40
    np.testing.assert_allclose(line[centre - 2 : centre + 3], 0.2, atol=1e-3)


def test_motion_is_the_mean_of_shifted_pictures(apply, view, draws, page):
    way_px, own = 2.0, draws(3)
    moved = apply(optics.motion_blur, page, way_px / view.px_per_mm, own, view, largest=4.0)
    angle, inside = np.pi * float(own[0]), np.s_[6:-6, 6:-6]
    steps = int(np.ceil(4.0 * view.px_per_mm)) + 1
    shifts = [
        ndimage.shift(
            np.float64(page[:, :, 0]), -s * np.array([np.sin(angle), np.cos(angle)]), order=1
        )
        for s in np.linspace(-way_px / 2, way_px / 2, steps)
    ]
    np.testing.assert_allclose(moved[:, :, 0][inside], np.mean(shifts, 0)[inside], atol=0.01)


def test_moire_is_a_wave_of_the_stated_amplitude(apply, view, draws):
    colour = View(192, 256, 3, 1.28)
    own = draws(4)
    seen = apply(optics.moire, np.full((192, 256, 3), 100.0), 0.1, own, colour) / 100 - 1
    pitch, angle = 2 + 10 * float(own[0]), np.pi * float(own[1])
    fan = -2e-3 + 4e-3 * float(own[2])
    y, x = colour.y_mm[:, None], colour.x_mm[None]
    turns = (np.sin(angle) * y + fan * y**2 + np.cos(angle) * x) / pitch
    for channel in range(3):
        wave = np.cos(2 * np.pi * (turns + float(own[3]) * channel / 3))
        np.testing.assert_allclose(seen[:, :, channel], 0.1 * wave, atol=2e-3)


def test_noise_has_the_stated_deviation_in_every_channel(apply, draws):
    colour = View(192, 256, 3, 1.28)
    noise = apply(optics.sensor_noise, np.full((192, 256, 3), 100.0), 7.0, draws(5), colour) - 100
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 7.0, rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=(0, 1)), 0, atol=0.15)
    between = np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)
    assert np.abs(between).max() < 0.03
    beside = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert abs(beside) < 0.03
