import io

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.evaluation.reporting.overlays import Panel, overlay

STRIP = {"duration_s": 2.0, "x_mm": 2.0, "width_mm": 50.0, "row_height_mm": 20.0, "start_s": 0.0}
PICTURE = {
    "height": 96,
    "width": 128,
    "px_per_mm": 2.4,
    "strips": [
        {"lead": "I", "baseline_mm": 10.0, "row": 0} | STRIP,
        {"lead": "V1", "baseline_mm": 30.0, "row": 1} | STRIP,
    ],
}
GRID = (3, 4)
IMAGE = np.full((96, 128, 1), 250, np.uint8)


def drawn(shares, *, picture=PICTURE, panels=1):
    panel = Panel("where", shares, strongest=4.0)
    content = overlay(
        IMAGE, [panel] * panels, picture=picture, grid=GRID, title="r: AF", footnote="note " * 60
    )
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def even():
    return drawn(np.full(12, 1 / 12))


def test_the_marked_patch_is_coloured_and_no_other(even):
    shares = np.zeros(12)
    shares[5] = 1.0
    marked = drawn(shares)
    assert marked.shape == even.shape
    # Vermilion: much more red than blue. The table and the bar have it in both.
    sheet = np.s_[80 : marked.shape[0] - 200, : int(marked.shape[1] * 0.6)]
    coloured = (marked[sheet][..., 0] - marked[sheet][..., 2]) > 100
    rows, columns = np.nonzero(coloured)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    # One patch of a 3 x 4 grid is as high as wide.
    assert height == pytest.approx(width, rel=0.05)
    assert coloured.sum() > 0.9 * height * width
    assert ((even[sheet][..., 0] - even[sheet][..., 2]) > 100).sum() == 0


def test_pictures_without_strips_stand_alone_and_panels_below_each_other(even):
    bare = drawn(np.full(12, 1 / 12), picture={"height": 96, "width": 128})
    assert bare.shape[1] == even.shape[1]
    assert bare.shape[0] > even.shape[0]
    assert drawn(np.full(12, 1 / 12), panels=2).shape[0] > 1.6 * even.shape[0]


def test_the_same_map_gives_the_same_bytes(even):
    np.testing.assert_array_equal(drawn(np.full(12, 1 / 12)), even)
