import numpy as np
import pytest
from PIL import Image, ImageOps

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.rendering.flat_sheet import flat_ink
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.scans.alignment import likeness
from ecgmae_jax.scans.blank_paper import on_blank_paper

SMALL = make_sheet(height=192, width=256, style="blank")
FINE = make_sheet(height=3 * 192, width=3 * 256, style="blank")


@pytest.fixture(scope="module")
def put():
    def put(page, *, px_per_mm):
        return on_blank_paper(
            page,
            px_per_mm=px_per_mm,
            template=flat_ink(SMALL),
            fine_template=flat_ink(FINE),
            template_px_per_mm=SMALL.px_per_mm,
            record_id="a",
        )

    return put


def alike(pixels, other):
    one, other = (np.squeeze(np.asarray(picture, np.float32)) for picture in (pixels, other))
    return likeness(one, other)


def test_a_scan_becomes_the_sheet_that_is_drawn_of_its_recording(
    put, sheet, small_blank_sheet, sheet_px_per_mm
):
    found = put(sheet, px_per_mm=sheet_px_per_mm)
    assert found.pixels.shape == (192, 256, 1)
    assert found.scale == pytest.approx(SMALL.px_per_mm / sheet_px_per_mm)
    # Letters are drawn larger on small sheets than they are on a page.
    assert alike(found.pixels, small_blank_sheet) > 0.75
    # The grid on the scan as it is.
    as_it_is = sheet.convert("L").resize((256, 198)).crop((0, 3, 256, 195))
    assert alike(found.pixels, small_blank_sheet) > alike(as_it_is, small_blank_sheet) + 0.2


@pytest.mark.parametrize(("left", "top"), [(60, 0), (0, 40), (35, 26)])
def test_it_lies_where_the_layout_has_it_wherever_the_page_was_cut(
    put, sheet, sheet_px_per_mm, left, top
):
    whole = put(sheet, px_per_mm=sheet_px_per_mm)
    cut = put(sheet.crop((left, top, sheet.width, sheet.height)), px_per_mm=sheet_px_per_mm)
    assert alike(cut.pixels, whole.pixels) > 0.8
    halves = np.array([top, left]) * whole.scale / 2
    np.testing.assert_allclose(np.subtract(whole.moved, cut.moved), halves, atol=1.5)


@pytest.mark.parametrize("margin", [0, 50, -20])
def test_without_a_scale_the_layout_tells_it(
    put, sheet, sheet_px_per_mm, small_blank_sheet, margin
):
    around = (-margin, -margin, sheet.width + margin, sheet.height + margin)
    found = put(ImageOps.invert(ImageOps.invert(sheet).crop(around)), px_per_mm=None)
    assert found.scale_by_layout
    assert found.scale == pytest.approx(SMALL.px_per_mm / sheet_px_per_mm, rel=0.01)
    # Lines of one pixel, half a pixel off.
    assert alike(found.pixels, small_blank_sheet) > 0.5


def test_what_is_lost_is_counted_in_ink(put, sheet, sheet_px_per_mm):
    page = sheet.resize((2200, 1700))
    found = put(page, px_per_mm=sheet_px_per_mm)
    assert 0.5 < found.ink_cut < 1
    assert found.as_dict()["scale"] == pytest.approx(SMALL.px_per_mm / sheet_px_per_mm)


def test_a_fine_scan_is_reduced_before_its_ink_is_looked_for(put, sheet, sheet_px_per_mm):
    large = sheet.resize((4 * sheet.width, 4 * sheet.height), Image.Resampling.BICUBIC)
    fine, coarse = put(large, px_per_mm=4 * sheet_px_per_mm), put(sheet, px_per_mm=sheet_px_per_mm)
    assert fine.scale == pytest.approx(coarse.scale / 4)
    assert alike(fine.pixels, coarse.pixels) > 0.9


def test_a_page_with_too_few_pixels_is_refused(put, sheet):
    with pytest.raises(
        RejectedRecord, match=r"60 x 40 pixels, .* 256 x 192 .* 4.27 times"
    ) as fault:
        put(sheet.resize((60, 40)), px_per_mm=None)
    assert fault.value.code == "too-small"
