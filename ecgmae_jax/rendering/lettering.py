"""What is printed beside the traces: lead names, speed and gain, the calibration pulse."""

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

from ecgmae_jax.rendering.layouts import FIELD_HEIGHT_MM, FIELD_LEFT_MM, FIELD_TOP_MM, Strip
from ecgmae_jax.rendering.sheet import Sheet

# Letters are drawn this many times larger and averaged down, which places them to a quarter of
# a pixel.
_OVERSAMPLING = 4
_NAME_MM = 3.2
_FOOTER_MM = 2.6
# Below this height capitals are no longer told apart: on a small picture letters grow instead.
_SMALLEST_CAPITAL_PX = 5.0
# Machines print semi-bold: this is added all round, as a share of the capitals' height.
_STROKE = 0.04
_PULSE_S = 0.2
# From the pulse to the field, and the stretch of baseline on either side of the pulse.
_PULSE_GAP_MM = 1.5
_PULSE_LEAD_MM = 1.5


def lettering(sheet: Sheet) -> Float[np.ndarray, "h w"]:
    """The share of each pixel covered by print: names, footer and calibration pulses."""
    texts = [
        (strip.lead, strip.x_mm + 1.0, strip.baseline_mm - _name_above_mm(strip), _NAME_MM)
        for strip in sheet.strips
    ]
    x_mm, y_mm = sheet.origin_mm
    texts.append(
        (
            f"{sheet.paper.mm_per_s:g} mm/s   {sheet.paper.mm_per_mv:g} mm/mV",
            x_mm + FIELD_LEFT_MM,
            y_mm + FIELD_TOP_MM + FIELD_HEIGHT_MM + 8.0,
            _FOOTER_MM,
        )
    )
    return np.minimum(_text_coverage(sheet, texts) + _pulse_coverage(sheet), 1.0)


def _name_above_mm(strip: Strip) -> float:
    """Height of a name's foot over the baseline: clear of P waves, inside its own row."""
    return min(8.0, 0.3 * strip.row_height_mm)


def _text_coverage(
    sheet: Sheet, texts: list[tuple[str, float, float, float]]
) -> Float[np.ndarray, "h w"]:
    """Coverage by texts: (text, x of its left edge, y of its foot, height of capitals) in mm."""
    large = _OVERSAMPLING
    image = Image.new("L", (sheet.width * large, sheet.height * large))
    draw = ImageDraw.Draw(image)
    for text, x_mm, foot_mm, capital_mm in texts:
        capital_px = max(capital_mm * sheet.px_per_mm, _SMALLEST_CAPITAL_PX)
        position = (x_mm * sheet.px_per_mm * large, foot_mm * sheet.px_per_mm * large)
        draw.text(
            position,
            text,
            255,
            font=_font(capital_px * large),
            anchor="ls",
            stroke_width=_STROKE * capital_px * large,
        )
    return np.asarray(image.reduce(large), np.float32) / 255


def _font(capital_px: float) -> ImageFont.FreeTypeFont:
    """The sans-serif font that comes with Pillow, its capitals of the given height."""
    _, top, _, bottom = ImageFont.load_default(size=1000).getbbox("H")
    return ImageFont.load_default(size=1000 * capital_px / (bottom - top))


def _pulse_coverage(sheet: Sheet) -> Float[np.ndarray, "h w"]:
    """Coverage by the calibration pulse, 1 mV for 200 ms, to the left of every row."""
    pen, width_mm = sheet.pen_px / sheet.px_per_mm, _PULSE_S * sheet.paper.mm_per_s
    coverage = np.zeros((sheet.height, sheet.width), np.float32)
    for strip in {strip.row: strip for strip in reversed(sheet.strips)}.values():
        fall = strip.x_mm - _PULSE_GAP_MM - _PULSE_LEAD_MM
        rise, foot = fall - width_mm, strip.baseline_mm
        head = foot - sheet.paper.mm_per_mv
        # Baseline, rise, head, fall, baseline: (left, right, top, bottom) of the pen's strokes.
        for x0, x1, y0, y1 in (
            (rise - _PULSE_LEAD_MM, rise, foot, foot),
            (rise, rise, head, foot),
            (rise, fall, head, head),
            (fall, fall, head, foot),
            (fall, fall + _PULSE_LEAD_MM, foot, foot),
        ):
            across = _covered_by(x0 - pen / 2, x1 + pen / 2, sheet.width, sheet.px_per_mm)
            down = _covered_by(y0 - pen / 2, y1 + pen / 2, sheet.height, sheet.px_per_mm)
            coverage = np.maximum(coverage, down[:, None] * across[None, :])
    return coverage


def _covered_by(
    start_mm: float, stop_mm: float, num_pixels: int, px_per_mm: float
) -> Float[np.ndarray, "n"]:
    """The share of each pixel along one axis that lies between two places."""
    pixel = np.arange(num_pixels, dtype=np.float32)
    covered = np.minimum(stop_mm * px_per_mm, pixel + 1) - np.maximum(start_mm * px_per_mm, pixel)
    return np.clip(covered, 0, 1).astype(np.float32)
