import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.scans.page import box_of, find_page

BLACK, DESK, LID = (8, 8, 8), (120, 85, 55), (255, 255, 255)


def on(colour, sheet, *, left, top, right, bottom):
    size = (left + sheet.width + right, top + sheet.height + bottom)
    picture = Image.new("RGB", size, colour)
    picture.paste(sheet, (left, top))
    return picture


@pytest.mark.parametrize("colour", [BLACK, DESK])
@pytest.mark.parametrize("border", [(80, 60, 40, 120), (0, 0, 200, 0), (70, 0, 0, 0)])
def test_a_page_on_something_else_is_found(sheet, colour, border):
    left, top, right, bottom = border
    picture = on(colour, sheet, left=left, top=top, right=right, bottom=bottom)
    box = box_of(find_page(picture).mask, size=picture.size)
    expected = (left, top, left + sheet.width, top + sheet.height)
    np.testing.assert_allclose(box, expected, atol=picture.width / 150)


def test_a_turned_page_keeps_its_corners(sheet):
    turned = sheet.rotate(6, Image.Resampling.BICUBIC, expand=True, fillcolor=BLACK)
    picture = on(BLACK, turned, left=100, top=100, right=100, bottom=100)
    page = find_page(picture)
    box = box_of(page.mask.rotate(-6, expand=True), size=(1500, 1200))
    whole = Image.new("L", page.mask.size, 255).rotate(-6, expand=True)
    assert np.asarray(page.mask).mean() < 0.75 * 255
    # Turned back, it is as wide and as high as the sheet.
    shape = ((box[2] - box[0]) / 1500 * whole.width, (box[3] - box[1]) / 1200 * whole.height)
    scale = page.mask.width / picture.width
    np.testing.assert_allclose(shape, np.array(sheet.size) * scale, rtol=0.04)


@pytest.mark.parametrize("colour", [LID, (254, 246, 243), (200, 220, 205)])
def test_margins_are_part_of_the_page(sheet, colour):
    assert find_page(sheet).reason == "no border found"
    margins = {"left": 90, "top": 70, "right": 50, "bottom": 40}
    page = find_page(on(colour, sheet, **margins))
    assert (page.mask, page.reason) == (None, "no border found")


def test_a_shadow_is_no_border(sheet):
    pixels = np.asarray(sheet, np.float32)
    light = np.clip(np.linspace(0.1, 1.6, pixels.shape[1]), 0, 1)[None, :, None]
    page = find_page(Image.fromarray((pixels * light).astype(np.uint8)))
    assert (page.mask, page.reason) == (None, "what is darker than the middle has no sharp edge")


def test_a_hand_on_the_page_is_no_border(sheet):
    covered = sheet.copy()
    covered.paste((150, 90, 70), (500, 400, 700, 850))
    page = find_page(covered)
    assert (page.mask, page.reason) == (
        None,
        "what is darker than the middle leaves no convex page",
    )
