"""Many pictures on one, each with a caption below it."""

import textwrap
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

_MARGIN = 12
_FONT_SIZE = 14
_LINE = 18
_LINES = 3
_CHARACTER_PX = 7.5
_WIDTH_PX = 2200

Pixels = UInt8[np.ndarray, "h w c"]


def contact_sheet(cells: Sequence[tuple[Sequence[Pixels], str]]) -> Image.Image:
    """The cells in rows, at their own resolution.

    Args:
        cells: pictures shown side by side and the caption below them; all cells alike in size.
    """
    first, _ = cells[0]
    height = max(picture.shape[0] for picture in first)
    width = sum(picture.shape[1] for picture in first) + _MARGIN * (len(first) - 1)
    per_row = min(len(cells), max(1, _WIDTH_PX // (width + _MARGIN)))
    pitch = height + _LINES * _LINE + 2 * _MARGIN
    rows = -(-len(cells) // per_row)
    size = (_MARGIN + per_row * (width + _MARGIN), _MARGIN + rows * pitch)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    for number, (pictures, caption) in enumerate(cells):
        top = _MARGIN + (number // per_row) * pitch
        left = start = _MARGIN + (number % per_row) * (width + _MARGIN)
        for picture in pictures:
            sheet.paste(_as_rgb(picture), (left, top))
            left += picture.shape[1] + _MARGIN
        lines = textwrap.wrap(caption, max(8, int(width / _CHARACTER_PX)), max_lines=_LINES)
        draw.multiline_text((start, top + height + 4), "\n".join(lines), fill="black", font=font)
    return sheet


def _as_rgb(picture: Pixels) -> Image.Image:
    return Image.fromarray(np.broadcast_to(picture, (*picture.shape[:2], 3)).copy())
