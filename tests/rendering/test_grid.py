import numpy as np
import pytest

from ecgmae_jax.rendering.grid import grid_picture, ruled_lines
from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.sheet import make_sheet


def test_lines_cover_what_fine_sampling_says():
    fine = (np.arange(200 * 1000) + 0.5) / 1000
    to_line = np.abs((fine - 3.3 + 2.85) % 5.7 - 2.85)
    expected = (to_line < 0.6).reshape(200, 1000).mean(axis=1)
    lines = ruled_lines(200, first_px=3.3, pitch_px=5.7, line_px=1.2)
    np.testing.assert_allclose(lines, expected, atol=2e-3)


@pytest.mark.parametrize("pitch_px", [0.9, 1.78, 2.0])
def test_lines_too_close_for_the_pixels_become_their_mean_tone(pitch_px):
    lines = ruled_lines(300, first_px=0.2, pitch_px=pitch_px, line_px=0.15 * pitch_px)
    np.testing.assert_allclose(lines, 0.15, rtol=1e-5)


@pytest.mark.parametrize("pitch_px", [2.3, 4.0, 8.9])
def test_ink_does_not_depend_on_the_pitch_in_pixels(pitch_px):
    num_pixels = round(100 * pitch_px)
    lines = ruled_lines(num_pixels, first_px=0.7, pitch_px=pitch_px, line_px=0.1 * pitch_px)
    assert lines.mean() == pytest.approx(0.1, rel=0.01)
    assert lines.min() >= 0


def test_ten_small_squares_are_one_millivolt_and_a_line_runs_along_each_baseline():
    sheet = make_sheet(height=1720, width=2236)
    picture = grid_picture(sheet)[:, :, 0]
    profile = picture.mean(axis=1).max() - picture.mean(axis=1)
    for strip in sheet.strips:
        for above_mm in (0, 10):
            row = (strip.baseline_mm - above_mm) * sheet.px_per_mm
            near = profile[int(row) - 3 : int(row) + 4]
            centre = int(row) - 3 + 0.5 + (np.arange(7) * near).sum() / near.sum()
            assert centre == pytest.approx(row, abs=0.6)
            assert near.max() > 0.8 * profile.max()


def test_a_grey_grid_is_the_luminance_of_the_red_one():
    grey = grid_picture(make_sheet(height=300, width=400))
    red = grid_picture(make_sheet(height=300, width=400, channels=3))
    luminance = red @ np.float32([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey[:, :, 0], luminance, atol=1e-3)
    paper = in_channels(make_sheet().paper.paper_colour, channels=1)[0]
    assert grey.max() <= paper
    assert 225 < grey.mean() < 245
