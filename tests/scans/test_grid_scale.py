import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.scans.grid_scale import grid_scale


@pytest.mark.parametrize("factor", [0.58, 0.8, 1.37])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_scale_of_a_sheet_is_found(sheet, sheet_px_per_mm, enlarge, factor, mode):
    found = grid_scale(enlarge(sheet, factor).convert(mode))
    assert found.px_per_mm == pytest.approx(sheet_px_per_mm * factor, rel=0.005)
    assert found.spread < 0.02
    assert found.reason == ""


@pytest.mark.parametrize("angle", [-12.0, 3.3, 9.1])
def test_a_turned_sheet_has_the_scale_of_a_straight_one(sheet, sheet_px_per_mm, turn, angle):
    assert grid_scale(turn(sheet, angle)).px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.01)


def test_a_slightly_stretched_sheet_has_a_scale_in_between(sheet, sheet_px_per_mm, enlarge):
    found = grid_scale(enlarge(sheet, 1.0, 1.05))
    assert found.across == pytest.approx(sheet_px_per_mm, rel=0.005)
    assert found.down == pytest.approx(1.05 * sheet_px_per_mm, rel=0.005)
    assert found.px_per_mm == pytest.approx(np.sqrt(found.across * found.down))


def test_a_sheet_with_two_scales_has_none(sheet, sheet_px_per_mm, enlarge):
    found = grid_scale(enlarge(sheet, 1.0, 1.3))
    assert (found.px_per_mm, found.reason) == (None, "not the same across and down")
    assert found.down == pytest.approx(1.3 * sheet_px_per_mm, rel=0.005)


def test_without_a_grid_there_is_no_scale(sheet_without_grid):
    found = grid_scale(sheet_without_grid)
    assert (found.px_per_mm, found.across, found.down) == (None, None, None)
    assert found.reason == "no lines of 1 mm and of 5 mm"


def test_lines_too_dense_to_be_seen_are_not_guessed(sheet, enlarge):
    # At 1.8 px/mm the lines of 1 mm are beyond half a cycle per pixel.
    for factor in (0.25, 0.35, 0.45):
        assert grid_scale(enlarge(sheet, factor)).px_per_mm is None


@pytest.mark.parametrize("step", [4, 7, 11, 20, 37])
def test_lines_of_one_kind_have_no_scale(step):
    rng = np.random.default_rng(0)
    pixels = np.full((700, 900), 250.0)
    pixels[::step], pixels[:, ::step] = 200, 200
    for noise in (0, 3):
        noisy = np.clip(pixels + rng.normal(0, noise, pixels.shape), 0, 255)
        assert grid_scale(Image.fromarray(noisy.astype(np.uint8))).px_per_mm is None


def test_lines_of_5_and_25_mm_are_not_taken_for_1_and_5():
    pixels = np.full((600, 1000), 250, np.uint8)
    for step, grey in ((12, 210), (60, 140)):
        pixels[::step], pixels[:, ::step] = grey, grey
    found = grid_scale(Image.fromarray(pixels))
    assert (found.px_per_mm, found.across, found.reason) == (
        None,
        None,
        "its lines would make the picture 83 mm long",
    )


def test_other_pictures_have_no_scale():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (400, 500), dtype=np.uint8)
    for pixels in (noise, np.full((400, 500), 250, np.uint8), noise[:50]):
        assert grid_scale(Image.fromarray(pixels)).px_per_mm is None
