import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.scans.ink import ink_of


def test_a_line_is_ink_and_a_broad_bar_is_not():
    pixels = np.full((200, 300), 240, np.uint8)
    pixels[:, 40:44] = 10
    pixels[:, 150:200] = 60
    ink = ink_of(Image.fromarray(pixels), px_per_mm=4.0)
    assert (ink[5:-5, 41:43] == 1).all()
    assert ink[:, 50:].max() == 0
    assert ink[:, :30].max() == 0


def test_the_grid_goes_and_the_traces_stay(sheet, sheet_without_grid, sheet_px_per_mm):
    bare = ink_of(sheet_without_grid, px_per_mm=sheet_px_per_mm)
    ink = ink_of(sheet, px_per_mm=sheet_px_per_mm)
    assert 0.01 < bare.mean() < 0.05
    assert np.abs(ink - bare).mean() < 0.05 * bare.mean()
    # Without ink there is as much darkness in the grid as in the traces.
    assert (255 - np.asarray(sheet.convert("L"), float)).mean() > 3 * 255 * bare.mean()


@pytest.mark.parametrize("kind", ["grey", "yellow", "in uneven light", "pale", "on a desk"])
def test_paper_light_and_desk_do_not_matter(sheet, sheet_px_per_mm, kind):
    expected = ink_of(sheet, px_per_mm=sheet_px_per_mm)
    pixels = np.asarray(sheet, np.float32)
    margin = np.s_[:, :]
    if kind == "grey":
        pixels = np.asarray(sheet.convert("L"), np.float32)
    elif kind == "yellow":
        pixels = pixels * (1, 0.95, 0.7)
    elif kind == "in uneven light":
        pixels = pixels * np.linspace(0.5, 1, pixels.shape[1])[:, None]
    elif kind == "pale":
        pixels = 255 - 0.5 * (255 - pixels)
    else:
        pixels = np.pad(pixels, ((60, 60), (60, 60), (0, 0)), constant_values=40)
        margin = np.s_[60:-60, 60:-60]
    ink = ink_of(Image.fromarray(pixels.astype(np.uint8)), px_per_mm=sheet_px_per_mm)
    assert ink[margin][expected == 0].sum() < 0.02 * expected.sum()
    # Where the grid is as grey as the ink, rims of strokes go with it.
    lost = 0.2 if kind == "grey" else 0.1
    assert np.abs(ink[margin] - expected).mean() < lost * expected.mean()
    assert ink.sum() == pytest.approx(expected.sum(), rel=lost)
