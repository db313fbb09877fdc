"""Spectra of a picture along rays: parallel lines at any tilt are peaks on the ray across them."""

import dataclasses
import functools

import numpy as np
import scipy.fft
from jaxtyping import Float, Float32
from scipy import ndimage

LARGEST_TILT_DEG = 15.0
_STEP_DEG = 0.25
_PADDING = 2
# A single spectral line must not outweigh all others in the choice of the angle.
_MOST_PER_LINE = 20.0
# Drawn pictures have no noise at all, and the floor between their lines nothing to say.
_CLEANEST = 2e-3
_RAYS_AROUND_DEG = (-0.5, -0.25, 0.0, 0.25, 0.5)


@dataclasses.dataclass(frozen=True, eq=False)
class Ray:
    """The spectrum across a family of parallel lines.

    Attributes:
        step: between two values, in cycles per pixel; the first value is at 0.
        values: amplitudes in units of those found in directions without lines.
        tilt_deg: of the lines against the edge of the picture, positive counterclockwise.
    """

    step: float
    values: Float[np.ndarray, " f"]
    tilt_deg: float


def rays_of(layer: Float32[np.ndarray, "t t"]) -> tuple[Ray, Ray]:
    """The rays across the upright and across the level lines of a square piece of a picture."""
    side = len(layer)
    window = np.hanning(side).astype(np.float32)
    weighted = (layer - layer.mean()) * window[:, None] * window
    size = _PADDING * side
    spectrum = np.abs(scipy.fft.fft2(weighted, (size, size)))
    floor = _floor(spectrum)
    return _ray(spectrum, floor, 0.0), _ray(spectrum, floor, 90.0)


def _ray(spectrum: np.ndarray, floor: np.ndarray, direction_deg: float) -> Ray:
    size = len(spectrum)
    rows, columns = _polar(size, direction_deg)
    lines = spectrum[rows, columns] / floor
    sharpness = np.log(np.clip(lines, 1, _MOST_PER_LINE)).sum(axis=1)
    tilt = (int(sharpness.argmax()) - (len(sharpness) - 1) / 2) * _STEP_DEG
    angles = np.deg2rad(direction_deg + tilt + np.array(_RAYS_AROUND_DEG))[:, None]
    radius = np.arange(size // 2)
    # Rows count downwards, so that a ray turned counterclockwise has a negative row.
    points = [-radius * np.sin(angles), radius * np.cos(angles)]
    values = ndimage.map_coordinates(spectrum, points, order=1, mode="grid-wrap").max(axis=0)
    return Ray(1 / size, values / floor, tilt)


@functools.lru_cache(maxsize=8)
def _polar(size: int, direction_deg: float) -> tuple[np.ndarray, np.ndarray]:
    num = round(LARGEST_TILT_DEG / _STEP_DEG)
    angles = np.deg2rad(direction_deg + np.arange(-num, num + 1) * _STEP_DEG)[:, None]
    radius = np.arange(size // 2)
    rows = np.rint(-radius * np.sin(angles)).astype(np.intp)
    return rows % size, np.rint(radius * np.cos(angles)).astype(np.intp) % size


def _floor(spectrum: np.ndarray) -> np.ndarray:
    """The amplitude by radius halfway between the axes, where sheets have no lines."""
    size = len(spectrum)
    angles = np.deg2rad([*range(22, 70, 3), *range(112, 160, 3)])[:, None]
    radius = np.arange(size // 2)
    rows = np.rint(-radius * np.sin(angles)).astype(np.intp) % size
    columns = np.rint(radius * np.cos(angles)).astype(np.intp) % size
    middle = np.median(spectrum[rows, columns], axis=0)
    floor = ndimage.gaussian_filter1d(middle, 4 * _PADDING)
    return np.maximum(floor, max(_CLEANEST * spectrum.max(), np.finfo(np.float32).eps))
