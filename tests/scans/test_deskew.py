import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.scans.deskew import skew_of, straighten

ANGLES = (-14.5, -5.3, -1.0, 0.0, 0.3, 2.25, 14.9)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_angle_of_a_turned_sheet_is_found(sheet, turn, angle):
    assert skew_of(turn(sheet, angle)).angle_deg == pytest.approx(angle, abs=0.1)


@pytest.mark.parametrize("angle", ANGLES)
def test_traces_and_print_do_where_there_is_no_grid(sheet_without_grid, turn, angle):
    assert skew_of(turn(sheet_without_grid, angle)).angle_deg == pytest.approx(angle, abs=0.1)


def test_grey_small_and_large_pictures_have_the_same_angle(sheet, turn, enlarge):
    turned = turn(sheet, -3.7)
    for picture in (turned.convert("L"), enlarge(turned, 0.45), enlarge(turned, 1.8)):
        assert skew_of(picture).angle_deg == pytest.approx(-3.7, abs=0.1)


def test_straightened_it_is_straight(sheet, turn):
    straight = straighten(turn(sheet, 6.5), 6.5)
    assert skew_of(straight).angle_deg == pytest.approx(0, abs=0.1)
    # What turning added is of the paper's colour.
    corner = np.asarray(straight.crop((0, 0, 20, 20)), int)
    assert np.abs(corner - np.median(np.asarray(sheet), axis=(0, 1))).max() < 25


def test_what_has_no_lines_has_no_angle(turn, sheet):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    for pixels in (noise, np.full((300, 400), 250, np.uint8)):
        assert skew_of(Image.fromarray(pixels)).reason == "no angle stands out"
    assert skew_of(turn(sheet, 25)).angle_deg is None


def test_only_what_is_inside_counts(sheet, turn):
    turned = turn(sheet, 4.0)
    desk = Image.new("RGB", (2 * turned.width, 2 * turned.height), (90, 60, 40))
    for top in range(0, desk.height, 11):
        desk.paste((60, 40, 20), (0, top, desk.width, top + 4))
    place = (turned.width // 2, turned.height // 2)
    desk.paste(turned, place)
    inside = Image.new("L", desk.size, 0)
    inside.paste(255, (*place, place[0] + turned.width, place[1] + turned.height))
    assert skew_of(desk, inside=inside).angle_deg == pytest.approx(4.0, abs=0.1)
    assert skew_of(desk).angle_deg != pytest.approx(4.0, abs=0.5)
