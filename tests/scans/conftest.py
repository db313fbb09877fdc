"""A sheet drawn in colour, and what becomes of it on its way through a scanner."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet


def _beats() -> np.ndarray:
    """Twelve leads of ten seconds at 500 Hz."""
    time = np.arange(5000) / 500
    beat = np.zeros_like(time)
    for start in np.arange(0.3, 10, 0.83):
        for height, after, width in ((0.1, -0.16, 0.03), (1.0, 0, 0.012), (0.25, 0.25, 0.05)):
            beat += height * np.exp(-(((time - start - after) / width) ** 2))
    return np.float32(np.linspace(-1, 1, 12)[:, None] * beat)


def _draw(
    *, height: int, width: int, channels: int, with_grid: bool, style: str = "red"
) -> Image.Image:
    sheet = make_sheet(height=height, width=width, channels=channels, style=style)
    if not with_grid:
        bare = sheet.paper.paper_colour
        paper = dataclasses.replace(sheet.paper, minor_colour=bare, major_colour=bare)
        sheet = dataclasses.replace(sheet, paper=paper)
    picture = np.asarray(make_drawer(sheet, rate_hz=500.0)(_beats()[None]))[0]
    return Image.fromarray(picture.squeeze())


@pytest.fixture(scope="session")
def sheet_px_per_mm() -> float:
    return make_sheet(height=850, width=1100).px_per_mm


@pytest.fixture(scope="session")
def sheet() -> Image.Image:
    """Letter paper with a red grid, 850 x 1100 pixels."""
    return _draw(height=850, width=1100, channels=3, with_grid=True)


@pytest.fixture(scope="session")
def sheet_without_grid() -> Image.Image:
    return _draw(height=850, width=1100, channels=3, with_grid=False)


@pytest.fixture(scope="session")
def small_blank_sheet() -> Image.Image:
    """The same recording on blank paper, grey, 192 x 256 pixels."""
    return _draw(height=192, width=256, channels=1, with_grid=True, style="blank")


@pytest.fixture(scope="session")
def turn():
    """The picture turned counterclockwise on paper of its own colour."""

    def turned(picture: Image.Image, angle_deg: float) -> Image.Image:
        paper = picture.getpixel((0, 0))
        return picture.rotate(angle_deg, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)

    return turned


@pytest.fixture(scope="session")
def enlarge():
    """The picture with its sides multiplied by two factors, one for both by default."""

    def enlarged(picture: Image.Image, across: float, down: float | None = None) -> Image.Image:
        size = (round(picture.width * across), round(picture.height * (down or across)))
        return picture.resize(size, Image.Resampling.LANCZOS)

    return enlarged


@pytest.fixture(scope="session")
def bend(sheet, sheet_px_per_mm):
    """The sheet bent: a picture of it, and the place on it in mm that each pixel shows."""

    def bent(*, perspective: float = 0, curl_mm: float = 0, turn_deg: float = 0):
        width, height = sheet.size
        y, x = np.mgrid[:height, :width] + 0.5
        x, y = x - width / 2, y - height / 2
        angle = np.deg2rad(turn_deg)
        x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
        depth = 1 + perspective * (x / width + y / height)
        x, y = x / depth, y / depth
        y = y + curl_mm * sheet_px_per_mm * np.sin(2 * np.pi * x / width)
        places = [y + height / 2 - 0.5, x + width / 2 - 0.5]
        bands = [
            ndimage.map_coordinates(np.asarray(band), places, order=1, mode="nearest")
            for band in sheet.split()
        ]
        return Image.fromarray(np.stack(bands, axis=-1)), np.stack([x, y]) / sheet_px_per_mm

    return bent
