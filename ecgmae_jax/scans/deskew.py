"""How far a scan is turned, told by its level lines: grid, baselines, print; and turned back."""

import dataclasses
import functools

import numpy as np
import scipy.fft
from jaxtyping import Float, Float32
from PIL import Image
from scipy import ndimage

from ecgmae_jax.scans.layers import paper_colour, printed_layers, without_ink

LARGEST_SKEW_DEG = 15.0
_STEP_DEG = 0.05
_SIDE_PX = 1024
# Slower changes than this, in periods over the padded picture, are light and shadow.
_SLOWEST = 12
_MOST_PER_LINE = 20.0
# The sharpest angle over the sharpest one that is _APART_DEG away, both above the middle.
_LEAST_SHARPNESS = 2.0
_LEAST_DEVIATIONS = 10.0
_APART_DEG = 3.0


@dataclasses.dataclass(frozen=True)
class Skew:
    """By how much a picture is turned.

    Attributes:
        angle_deg: counterclockwise as one sees it; None where no angle stands out.
        reason: why there is none; empty otherwise.
    """

    angle_deg: float | None
    reason: str = ""


def skew_of(picture: Image.Image, *, inside: Image.Image | None = None) -> Skew:
    """The angle of the level lines of a picture, up to LARGEST_SKEW_DEG either way.

    By the projection-slice theorem the spectrum along a ray is that of the picture's projection
    onto it: where it is richest, rows of the grid, of the traces and of the print line up.

    Args:
        picture: mode L or RGB.
        inside: mode L, not black where the page is; the rest is left out. Of any size.
    """
    small = picture.convert("RGB")
    small.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    layer, _ = printed_layers(np.asarray(small))
    if inside is not None:
        mask = np.asarray(inside.resize(small.size, Image.Resampling.NEAREST)) > 0
        layer = np.where(mask, layer, np.median(layer[mask]))
    # The grid is the better witness; where there is none the ink has to do.
    by_grid = _sharpest(without_ink(layer))
    return by_grid if by_grid.angle_deg is not None else _sharpest(layer)


def straighten(picture: Image.Image, angle_deg: float) -> Image.Image:
    """The picture turned back by the angle, on a larger one filled with the paper's colour."""
    return picture.rotate(
        -angle_deg, Image.Resampling.BICUBIC, expand=True, fillcolor=paper_colour(picture)
    )


def _sharpest(layer: Float32[np.ndarray, "h w"]) -> Skew:
    angles, sharpness = _profile(layer)
    best = int(sharpness.argmax())
    middle = np.median(sharpness)
    deviation = np.median(np.abs(sharpness - middle))
    height = sharpness[best] - middle
    elsewhere = sharpness[np.abs(angles - angles[best]) > _APART_DEG].max() - middle
    if height <= max(_LEAST_DEVIATIONS * deviation, _LEAST_SHARPNESS * elsewhere):
        return Skew(None, "no angle stands out")
    if abs(angles[best]) >= LARGEST_SKEW_DEG:
        return Skew(None, f"turned by {LARGEST_SKEW_DEG:.0f} degrees or more")
    return Skew(round(float(angles[best]), 2))


def _profile(
    layer: Float32[np.ndarray, "h w"],
) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " a"]]:
    """How much of the spectrum lies on the ray across level lines of each angle."""
    height, width = layer.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    weighted = ((layer - layer.mean()) * window).astype(np.float32)
    spectrum = np.abs(scipy.fft.rfft2(weighted, (_SIDE_PX, _SIDE_PX)))
    angles, rows, columns = _rays()
    lines = ndimage.map_coordinates(spectrum, [rows, columns], order=1, mode="grid-wrap")
    floor = ndimage.gaussian_filter1d(np.median(lines, axis=0), 6.0)
    whitened = lines / (floor + np.finfo(np.float32).eps)
    sharpness = np.log(np.clip(whitened, 1, _MOST_PER_LINE)).sum(axis=1)
    return angles, ndimage.gaussian_filter1d(sharpness, 2.0)


@functools.cache
def _rays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles, and where their rays lie in a half spectrum."""
    # A little more than is wanted, so that a maximum at the end of the range is recognised.
    num = round((LARGEST_SKEW_DEG + 0.5) / _STEP_DEG)
    angles = np.arange(-num, num + 1) * _STEP_DEG
    radius = np.arange(_SLOWEST, _SIDE_PX // 2)
    columns = -radius * np.sin(np.deg2rad(angles))[:, None]
    rows = -radius * np.cos(np.deg2rad(angles))[:, None]
    # A real picture's spectrum is symmetric about its centre.
    rows = np.where(columns < 0, -rows, rows)
    return angles, rows % _SIDE_PX, np.abs(columns)
