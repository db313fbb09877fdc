"""Typefaces, from the fonts that come with Pillow and matplotlib."""

import functools
from pathlib import Path

import matplotlib
from PIL import ImageFont

# File among matplotlib's fonts, none for Pillow's own; and what is added all round as a share of
# the capitals' height: machines print semi-bold.
TYPEFACES: dict[str, tuple[str | None, float]] = {
    "sans": (None, 0.04),
    "sans plain": ("DejaVuSans.ttf", 0.0),
    "sans bold": ("DejaVuSans-Bold.ttf", 0.0),
    "serif": ("STIXGeneral.ttf", 0.02),
    "serif bold": ("STIXGeneralBol.ttf", 0.0),
    "mono": ("DejaVuSansMono.ttf", 0.02),
}


@functools.lru_cache(maxsize=256)
def font(typeface: str, capital_px: float) -> ImageFont.FreeTypeFont:
    """The font whose capitals have the given height."""
    _, top, _, bottom = _font_of_size(typeface, 1000.0).getbbox("H")
    return _font_of_size(typeface, 1000 * capital_px / (bottom - top))


def stroke_px(typeface: str, capital_px: float) -> float:
    """How much fatter than its font a typeface is printed, all round."""
    return TYPEFACES[typeface][1] * capital_px


def _font_of_size(typeface: str, size: float) -> ImageFont.FreeTypeFont:
    file = TYPEFACES[typeface][0]
    if file is None:
        return ImageFont.load_default(size=size)
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file, size)
