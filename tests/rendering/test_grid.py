import dataclasses

import numpy as np
import pytest

from ecgmae_jax.rendering.grid import grid_picture, ruled_lines
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.paper import in_channels


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


def _with_paper(sheet, **settings):
    return dataclasses.replace(sheet, paper=dataclasses.replace(sheet.paper, **settings))


def test_the_phase_moves_the_grid_right_and_down():
    sheet = make_sheet(height=864, width=1100)
    pixel = 1 / sheet.px_per_mm
    moved = grid_picture(_with_paper(sheet, grid_phase_mm=(3 * pixel, 2 * pixel)))
    np.testing.assert_allclose(moved[2:, 3:], grid_picture(sheet)[:-2, :-3], atol=0.05)


def test_a_grid_with_a_margin_ends_there():
    sheet = make_sheet(height=850, width=1100)
    ruled = grid_picture(_with_paper(sheet, grid_margin_mm=(10.0, 5.0)))
    whole = grid_picture(sheet)
    scale = sheet.px_per_mm
    rows = slice(*(round((sheet.origin_mm[1] + y) * scale) for y in (15.5, 204.5)))
    columns = slice(*(round((sheet.origin_mm[0] + x) * scale) for x in (9.9, 278.9)))
    np.testing.assert_allclose(ruled[rows, columns], whole[rows, columns], rtol=1e-6)
    paper = in_channels(sheet.paper.paper_colour, channels=1)[0]
    outside = np.ones(ruled.shape, bool)
    outside[rows.start - 3 : rows.stop + 3, columns.start - 4 : columns.stop + 4] = False
    np.testing.assert_allclose(ruled[outside], paper, rtol=1e-6)


def test_dots_lie_where_the_lines_would_cross():
    sheet = _with_paper(make_sheet(height=1727, width=2235), major_line_mm=0.0)
    lines = sheet.paper.paper_colour[0] - grid_picture(sheet)[:, :, 0]
    dotted = _with_paper(sheet, minor_dotted=True)
    dots = sheet.paper.paper_colour[0] - grid_picture(dotted)[:, :, 0]
    assert dots.max() == pytest.approx(lines.max(), rel=0.3)
    # A share of 0.15 in each direction: 0.15 of 0.15 is dots, where lines take 1 - 0.85 of 0.85.
    paper = in_channels(sheet.paper.paper_colour, channels=1)[0]
    minor = in_channels(sheet.paper.minor_colour, channels=1)[0]
    assert (paper - grid_picture(dotted)).mean() / (paper - minor) == pytest.approx(
        0.0225, rel=0.05
    )
    assert (paper - grid_picture(sheet)).mean() / (paper - minor) == pytest.approx(0.2775, rel=0.05)
