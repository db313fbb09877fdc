"""What is printed beside the traces: lead names, words, separators, the calibration pulse."""

import itertools

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from ecgmae_jax.rendering.fonts import font, stroke_px
from ecgmae_jax.rendering.header import Text
from ecgmae_jax.rendering.marks import pulse_strokes, separator_strokes, stroke_coverage
from ecgmae_jax.rendering.sheet import Sheet

# Letters are drawn this many times larger and averaged down, which places them to a quarter of
# a pixel.
_OVERSAMPLING = 4
_FOOTER_MM = 2.6
# Below this height capitals are no longer told apart: on a small picture the names of the leads
# grow instead. A header has no room for that, and becomes as illegible as in a small scan.
_SMALLEST_CAPITAL_PX = 5.0


def lettering(sheet: Sheet) -> Float[np.ndarray, "h w"]:
    """The share of each pixel covered by print in the colour of the ink."""
    marks = sheet.marks
    strokes = itertools.chain(
        pulse_strokes(sheet.strips, marks=marks, paper=sheet.paper),
        separator_strokes(sheet.strips, marks=marks),
    )
    drawn = stroke_coverage(
        strokes,
        height=sheet.height,
        width=sheet.width,
        px_per_mm=sheet.px_per_mm,
        pen_mm=sheet.pen_px / sheet.px_per_mm,
    )
    if sheet.paper.print_colour is not None:
        return drawn
    return np.minimum(text_coverage(sheet) + drawn, 1.0)


def text_coverage(sheet: Sheet) -> Float[np.ndarray, "h w"]:
    """The share of each pixel covered by letters: names of leads, header and footer."""
    large = _OVERSAMPLING
    image = Image.new("L", (sheet.width * large, sheet.height * large))
    draw = ImageDraw.Draw(image)
    for text, typeface, smallest_px in _texts(sheet):
        capital_px = max(text.capital_mm * sheet.px_per_mm, smallest_px)
        position = (text.x_mm * sheet.px_per_mm * large, text.foot_mm * sheet.px_per_mm * large)
        draw.text(
            position,
            text.text,
            255,
            font=font(typeface, capital_px * large),
            anchor="ls",
            stroke_width=stroke_px(typeface, capital_px * large),
        )
    return np.asarray(image.reduce(large), np.float32) / 255


def _texts(sheet: Sheet) -> list[tuple[Text, str, float]]:
    """Every text in mm from the picture's corner, its typeface, and its least height in pixels."""
    marks, grown = sheet.marks, _SMALLEST_CAPITAL_PX
    names = [
        Text(
            strip.printed_name,
            strip.x_mm + marks.name_right_mm,
            marks.name_foot_mm(strip),
            marks.name_mm,
        )
        for strip in sheet.strips
        if marks.name_mm > 0
    ]
    texts = [(name, marks.typeface, grown) for name in names]
    x_mm, y_mm = sheet.origin_mm
    if sheet.header is None:
        speed_and_gain = f"{sheet.paper.mm_per_s:g} mm/s   {sheet.paper.printed_gain} mm/mV"
        foot_mm = y_mm + sheet.field.top_mm + sheet.field.height_mm + 8.0
        footer = Text(speed_and_gain, x_mm + sheet.field.left_mm, foot_mm, _FOOTER_MM)
        return [*texts, (footer, marks.typeface, grown)]
    header = sheet.header
    return texts + [
        (Text(t.text, t.x_mm + x_mm, t.foot_mm + y_mm, t.capital_mm), header.typeface, 0.0)
        for t in header.texts
    ]
