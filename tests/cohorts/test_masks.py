import math

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.cohorts.masks import Mask, masked
from ecgmae_jax.records.recording import RejectedRecord


def _page(mode):
    pixels = np.full((100, 200, 3), (250, 240, 230), np.uint8)
    pixels[20:25] = 0
    return Image.fromarray(pixels).convert(mode)


def _masked(page, *masks, px_per_mm=math.nan):
    return np.asarray(masked(page, masks, px_per_mm=px_per_mm, record_id="r"))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_rectangle_takes_the_colour_of_the_paper(mode):
    page = _page(mode)
    before, after = np.asarray(page), _masked(page, Mask(0.1, 0.2, 0.5, 0.5))
    assert (after[20:50, 20:100] == before[0, 0]).all()
    outside = np.ones((100, 200), bool)
    outside[20:50, 20:100] = False
    np.testing.assert_array_equal(after[outside], before[outside])
    assert (np.asarray(page) == before).all()


def test_millimetres_follow_the_scale():
    page = _page("L")
    np.testing.assert_array_equal(
        _masked(page, Mask(5.0, 10.0, 25.0, 25.0, "mm"), px_per_mm=2.0),
        _masked(page, Mask(10 / 200, 20 / 100, 50 / 200, 50 / 100)),
    )


def test_a_pixel_touched_in_part_is_gone():
    page = Image.fromarray(np.arange(100, dtype=np.uint8).reshape(10, 10))
    changed = _masked(page, Mask(0.11, 0.11, 0.29, 0.21)) != np.asarray(page)
    assert [index.tolist() for index in np.nonzero(changed)] == [[1, 1, 2, 2], [1, 2, 1, 2]]


def test_the_whole_page_can_be_masked():
    assert np.ptp(_masked(_page("L"), Mask(0.0, 0.0, 1.0, 1.0))) == 0


def test_millimetres_without_a_scale_refuse_the_scan():
    with pytest.raises(RejectedRecord, match="no-scale-for-mask"):
        _masked(_page("L"), Mask(0.0, 0.0, 10.0, 10.0, "mm"))


def test_no_masks_change_nothing():
    page = _page("L")
    assert masked(page, (), px_per_mm=math.nan, record_id="r") is page
