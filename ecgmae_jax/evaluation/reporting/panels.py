"""Pictures side by side under captions, at their own resolution."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

_MARGIN = 12
_FONT_SIZE = 15
_LINE = 19
_FOOT = 8


def side_by_side(
    columns: Mapping[str, Sequence[UInt8[np.ndarray, "h w c"]]], *, footnote: str
) -> Image.Image:
    """One row per picture and one column per caption, the footnote below.

    Args:
        columns: caption (lines separated by newlines) -> pictures, as many in each column.
        footnote: what the reader has to know about all of them.
    """
    height, width = next(iter(columns.values()))[0].shape[:2]
    rows = len(next(iter(columns.values())))
    head = _LINE * max(caption.count("\n") + 1 for caption in columns) + _MARGIN
    foot = _LINE * (footnote.count("\n") + 1) + _FOOT
    size = (
        _MARGIN + len(columns) * (width + _MARGIN),
        head + rows * (height + _MARGIN) + foot,
    )
    panel = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(panel)
    font = ImageFont.load_default(_FONT_SIZE)
    for column, (caption, pictures) in enumerate(columns.items()):
        left = _MARGIN + column * (width + _MARGIN)
        draw.multiline_text((left, _FOOT), caption, fill="black", font=font)
        for row, picture in enumerate(pictures):
            panel.paste(_as_rgb(picture), (left, head + row * (height + _MARGIN)))
    draw.multiline_text((_MARGIN, size[1] - foot), footnote, fill="dimgray", font=font)
    return panel


def _as_rgb(picture: UInt8[np.ndarray, "h w c"]) -> Image.Image:
    return Image.fromarray(np.broadcast_to(picture, (*picture.shape[:2], 3)).copy())
