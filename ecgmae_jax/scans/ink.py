"""The ink of a scan: traces and print alone, without paper, grid, stains, shadows and the desk."""

import numpy as np
from jaxtyping import Float32
from PIL import Image
from scipy import ndimage

# Wider than the stroke of any pen or letter, narrower than most shadows and stains.
WIDEST_STROKE_MM = 2.0
_GRAIN_MM = 0.2
_DARKEST_PAPER = 24.0
# Ink covers more than half a percent of any sheet; a scan without it has noise for its darkest.
_INK_PERCENTILE = 99.5
_FAINTEST_INK = 0.1
# Ink covers some 3 % of a sheet, the lines of a grid 20 % and more: what a twentieth of the pixels
# exceed is the grid, where it is copied in grey, or the grain of the paper.
_GRID_PERCENTILE = 95
_ABOVE_GRID = 0.05
# Of the ink's darkness: lines of 5 mm copied in grey reach 0.43.
_FAINTEST_GRID, _DARKEST_GRID = 0.1, 0.45


def ink_of(page: Image.Image, *, px_per_mm: float) -> Float32[np.ndarray, "h w"]:
    """The share of each pixel that ink covers, 0 to 1.

    Paper is what a grey closing wider than any stroke leaves, so that steps of light stay (the edge
    of the page, a shadow) and strokes go. Ink is dark in every colour; the coloured grid is not,
    and one copied in grey is paler than the ink.

    Args:
        page: mode L or RGB.
        px_per_mm: of the page, nearly.
    """
    grain = max(1, round(_GRAIN_MM * px_per_mm))
    stroke = max(3, round(WIDEST_STROKE_MM * px_per_mm))
    dark = np.full((page.height, page.width), np.inf, np.float32)
    # One colour after another: large scans would not fit into memory as floats of three.
    for band in page.split():
        pixels = ndimage.uniform_filter(np.asarray(band, np.float32), grain)
        paper = ndimage.grey_closing(pixels, (stroke, stroke))
        np.minimum(dark, (paper - pixels) / np.maximum(paper, _DARKEST_PAPER), out=dark)
    full = max(float(np.percentile(dark, _INK_PERCENTILE)), _FAINTEST_INK)
    grid = float(np.percentile(dark, _GRID_PERCENTILE)) / full + _ABOVE_GRID
    grid = min(max(grid, _FAINTEST_GRID), _DARKEST_GRID)
    return np.clip((dark / full - grid) / (1 - grid), 0, 1)
