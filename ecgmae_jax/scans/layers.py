"""A scan taken apart: what lies on the paper, without uneven light and with the ink held back."""

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from scipy import ndimage

_CELL_PX = 24
# Of the pixels of a cell most are bare paper, on every sheet whose grid can be told apart.
_PAPER_PERCENTILE = 80
_DARKEST_PAPER = 24.0
# Ink covers some 5 % of a sheet and lines of 5 mm another 5: the darkest pixels all count alike,
# so that a trace weighs little more than a line of the grid.
_INK_PERCENTILE = 94
_STROKES_PERCENTILE = 97
_AROUND_PX = 15
_LUMA = np.float32((0.299, 0.587, 0.114))


def paper_of(pixels: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The bare paper under everything printed: its colour and the light that falls on it."""
    height, width, _ = pixels.shape
    rows, columns = max(1, height // _CELL_PX), max(1, width // _CELL_PX)
    cell_h, cell_w = height // rows, width // columns
    cells = pixels[: rows * cell_h, : columns * cell_w]
    cells = cells.reshape(rows, cell_h, columns, cell_w, 3).transpose(0, 2, 4, 1, 3)
    bright = np.percentile(cells.reshape(rows, columns, 3, -1), _PAPER_PERCENTILE, axis=-1)
    small = Image.fromarray(bright.astype(np.uint8))
    smooth = small.resize((width, height), Image.Resampling.BICUBIC)
    return np.maximum(np.asarray(smooth, np.float32), _DARKEST_PAPER)


def darkness(pixels: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The share of the paper's light that each channel lacks."""
    paper = paper_of(pixels)
    return (paper - pixels) / paper


def printed_layers(pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[Float32[np.ndarray, "h w"], ...]:
    """What is printed by its luminance and by its colour; grey ink is absent from the second."""
    dark = darkness(pixels)
    return dark @ _LUMA, dark.max(axis=-1) - dark.min(axis=-1)


def without_ink(layer: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """The layer with its darkest pixels no darker than a line of the grid."""
    low, high = np.percentile(layer, (100 - _INK_PERCENTILE, _INK_PERCENTILE))
    return np.clip(layer, float(low), float(high))


def ink_filled(layer: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """The layer with its darkest strokes, and their rims, filled with the mean of what is around.

    Where a baseline runs beside a line of the grid, even a pale one moves that line's place.
    """
    low, high = np.percentile(layer, (100 - _INK_PERCENTILE, _STROKES_PERCENTILE))
    ink = ndimage.binary_dilation(layer > high, np.ones((3, 3), bool))
    rest = np.where(ink, 0, np.clip(layer, low, None)).astype(np.float32)
    share = ndimage.uniform_filter((~ink).astype(np.float32), _AROUND_PX)
    around = ndimage.uniform_filter(rest, _AROUND_PX) / np.maximum(share, 1e-3)
    return np.where(ink, around, rest)


def paper_colour(picture: Image.Image) -> int | tuple[int, ...]:
    """The most usual colour of a scan, to fill what lies beside it."""
    pixels = np.asarray(picture).reshape(picture.height * picture.width, -1)
    colour = tuple(int(value) for value in np.median(pixels, axis=0))
    return colour if len(colour) > 1 else colour[0]
