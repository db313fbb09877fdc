import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.scans.flattening import flatten
from ecgmae_jax.scans.grid_scale import grid_scale


@pytest.mark.parametrize("curl_mm", [2, 5])
def test_a_curled_page_is_made_flat(bend, sheet, sheet_px_per_mm, curl_mm):
    picture, _ = bend(curl_mm=curl_mm)
    flat = flatten(picture, px_per_mm=(sheet_px_per_mm, sheet_px_per_mm))
    assert flat.reason == ""
    assert flat.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.005)
    assert flat.bend_mm == pytest.approx(curl_mm, rel=0.15)
    # Rows of the grid are rows of pixels again.
    middle = np.asarray(flat.picture.convert("L"), float)[150:-150, 150:-150]
    before = np.asarray(picture.convert("L"), float)[150:-150, 150:-150]
    assert middle.mean(axis=1).std() > 2 * before.mean(axis=1).std()


def test_perspective_is_undone(bend, sheet_px_per_mm):
    picture, _ = bend(perspective=0.12, turn_deg=2)
    flat = flatten(picture, px_per_mm=(sheet_px_per_mm, sheet_px_per_mm))
    assert flat.bend_mm > 5
    before, after = grid_scale(picture), grid_scale(flat.picture)
    assert after.spread < 0.25 * before.spread
    assert after.px_per_mm == pytest.approx(flat.px_per_mm, rel=0.01)


def test_a_flat_page_is_left_as_it_is(sheet, sheet_px_per_mm):
    flat = flatten(sheet, px_per_mm=(sheet_px_per_mm, sheet_px_per_mm))
    assert flat.picture is sheet
    assert flat.reason == "it is flat"
    assert flat.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.002)
    assert flat.bend_mm < 0.5


@pytest.mark.parametrize("factor", [0.75, 1.0, 1.35])
def test_a_scale_may_be_expected_only(sheet, sheet_px_per_mm, factor):
    flat = flatten(sheet, px_per_mm=None, expected_px_per_mm=factor * sheet_px_per_mm)
    assert flat.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.002)


def test_without_a_scale_nothing_is_done(sheet):
    flat = flatten(sheet, px_per_mm=None)
    assert flat.picture is sheet
    assert flat.px_per_mm is None
    assert flat.reason == "nothing tells which of its lines are 5 mm apart"


@pytest.mark.parametrize(("size", "scale"), [((64, 48), 4.0), ((40, 900), 1.0), ((900, 700), 0.1)])
def test_what_is_no_sheet_at_its_scale_is_not_read(size, scale):
    page = Image.effect_noise(size, 80).convert("RGB")
    flat = flatten(page, px_per_mm=None, expected_px_per_mm=scale)
    assert flat.picture is page
    assert flat.reason == f"at {scale:.2f} px/mm it would not be a sheet"


def test_without_a_grid_nothing_is_done(sheet_without_grid, sheet_px_per_mm):
    flat = flatten(sheet_without_grid, px_per_mm=None, expected_px_per_mm=sheet_px_per_mm)
    assert flat.picture is sheet_without_grid
    assert (flat.px_per_mm, flat.bend_mm) == (None, None)
    assert flat.reason.startswith("its lines cannot be followed (0.")


def test_colour_is_not_needed(bend, sheet_px_per_mm):
    picture, _ = bend(curl_mm=3)
    grey = flatten(picture.convert("L"), px_per_mm=(sheet_px_per_mm, sheet_px_per_mm))
    assert grey.picture.mode == "L"
    assert grey.bend_mm == pytest.approx(3, rel=0.2)
