"""What the pen itself leaves besides the traces: calibration pulses and lead separators."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from jaxtyping import Float

from ecgmae_jax.rendering.layouts import Strip
from ecgmae_jax.rendering.paper import Paper

PULSE_S = 0.2
# From the pulse to the field, and the stretch of baseline on either side of the pulse.
_PULSE_GAP_MM = 1.5
_PULSE_LEAD_MM = 1.5

# (left, right, top, bottom) of a pen's stroke, in mm from the corner of the picture.
Stroke = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Marks:
    """How a machine marks its strips.

    Attributes:
        name_mm: height of the capitals of a lead's name; 0 prints none.
        name_right_mm: from the left end of the strip to the name.
        name_above_mm: from the baseline up to the name's foot, negative for a name below it;
            None is clear of P waves and inside its own row.
        typeface: of the names, a name of `fonts.TYPEFACES`.
        separator: where one column ends and the next begins: a `tick` across the baseline, a
            `pair` of ticks above and below it, a short `mark` above it, or a `dashed` line from
            row to row.
        separator_mm: half the length of a tick.
        pulse: the calibration pulse, 1 mV for 200 ms, at that end of every row; stairs of two
            steps where limb and chest leads of the row have gains of their own.
    """

    name_mm: float = 3.2
    name_right_mm: float = 1.0
    name_above_mm: float | None = None
    typeface: str = "sans"
    separator: Literal["none", "tick", "pair", "mark", "dashed"] = "none"
    separator_mm: float = 3.0
    pulse: Literal["none", "left", "right"] = "left"

    def name_foot_mm(self, strip: Strip) -> float:
        """The foot of a strip's name, measured as its baseline is."""
        above_mm = self.name_above_mm
        if above_mm is None:
            above_mm = min(8.0, 0.3 * strip.row_height_mm)
        return strip.baseline_mm - above_mm


def pulse_strokes(strips: tuple[Strip, ...], *, marks: Marks, paper: Paper) -> Iterator[Stroke]:
    """The calibration pulses: baseline, rise, heads, fall and baseline at one end of every row."""
    if marks.pulse == "none":
        return
    width_mm = PULSE_S * paper.mm_per_s
    from_left = marks.pulse == "left"
    ends = {s.row: s for s in (reversed(strips) if from_left else strips)}
    for strip in ends.values():
        gains = sorted({s.mm_per_mv for s in strips if s.row == strip.row}, reverse=True)
        if from_left:
            fall = strip.x_mm - _PULSE_GAP_MM - _PULSE_LEAD_MM
            rise = fall - width_mm
        else:
            rise = strip.x_mm + strip.width_mm + _PULSE_GAP_MM + _PULSE_LEAD_MM
            fall = rise + width_mm
        foot = strip.baseline_mm
        heads = [foot - gain for gain in gains]
        yield (rise - _PULSE_LEAD_MM, rise, foot, foot)
        yield (rise, rise, heads[0], foot)
        steps = itertools.pairwise(np.linspace(rise, fall, len(heads) + 1).tolist())
        for (left, right), head, below in zip(steps, heads, [*heads[1:], foot], strict=True):
            yield (left, right, head, head)
            yield (right, right, head, below)
        yield (fall, fall + _PULSE_LEAD_MM, foot, foot)


def pulse_room_mm(mm_per_s: float) -> float:
    """What a calibration pulse takes beside the field."""
    return PULSE_S * mm_per_s + _PULSE_GAP_MM + 2 * _PULSE_LEAD_MM


def separator_strokes(strips: tuple[Strip, ...], *, marks: Marks) -> Iterator[Stroke]:
    """The strokes between a strip and the one to its left."""
    reach = marks.separator_mm
    left_mm = min(strip.x_mm for strip in strips)
    for strip in strips:
        x, foot = strip.x_mm, strip.baseline_mm
        if x == left_mm or marks.separator == "none":
            continue
        if marks.separator == "tick":
            yield (x, x, foot - reach, foot + reach)
        elif marks.separator == "mark":
            yield (x, x, foot - 2.5 * reach, foot - 1.5 * reach)
        elif marks.separator == "pair":
            yield (x, x, foot - 2.5 * reach, foot - reach)
            yield (x, x, foot + reach, foot + 2.5 * reach)
        else:
            top = foot - strip.row_height_mm / 2
            for dash in np.arange(top, top + strip.row_height_mm - 0.5, 1.5):
                yield (x, x, dash, dash + 0.5)


def stroke_coverage(
    strokes: Iterator[Stroke], *, height: int, width: int, px_per_mm: float, pen_mm: float
) -> Float[np.ndarray, "h w"]:
    """The share of each pixel that upright and level strokes of a pen cover."""
    coverage = np.zeros((height, width), np.float32)
    for x0, x1, y0, y1 in strokes:
        across = covered_by(x0 - pen_mm / 2, x1 + pen_mm / 2, width, px_per_mm)
        down = covered_by(y0 - pen_mm / 2, y1 + pen_mm / 2, height, px_per_mm)
        touched = np.ix_(np.flatnonzero(down), np.flatnonzero(across))
        stroke = down[touched[0]] * across[touched[1]]
        coverage[touched] = np.maximum(coverage[touched], stroke)
    return coverage


def covered_by(
    start_mm: float, stop_mm: float, num_pixels: int, px_per_mm: float
) -> Float[np.ndarray, "n"]:
    """The share of each pixel along one axis that lies between two places."""
    pixel = np.arange(num_pixels, dtype=np.float32)
    covered = np.minimum(stop_mm * px_per_mm, pixel + 1) - np.maximum(start_mm * px_per_mm, pixel)
    return np.clip(covered, 0, 1).astype(np.float32)
