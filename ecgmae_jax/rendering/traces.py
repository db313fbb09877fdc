"""Where the pen goes: for every narrow column of the picture, how far up and down, and its ink.

The picture is cut into sub-columns, a few to a pixel. What a sheet says about them is a small
table, worked out exactly in numpy; which samples fall into which sub-column follows from it on
the device, so that one compiled function draws any sheet.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.layouts import Strip
from ecgmae_jax.rendering.sheet import Sheet

_Table = np.ndarray | Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class TraceGeometry:
    """The strips of a sheet in sub-columns and pixels; axis r rows, axis p strips of a row.

    Attributes:
        first: the sub-column where the pen comes down; past the picture where there is no strip.
        stop: the sub-column before which it lifts.
        lead: index of the lead, standard order.
        start: sample that would stand at the left edge of the picture.
        baseline_px: 0 mV, from the top of the picture.
        band_px: half the distance between two rows.
        px_per_mv: upwards; negative for a lead drawn upside down.
        samples_per_column: samples in a sub-column.
        pen_px: width of the pen.
        tip: half its height in the sub-columns on either side (axis k), -inf where it ends.
        per_pixel: sub-columns a pixel.
        width: pixels.
        most_inside: samples that a sub-column can hold.
    """

    first: Int32[_Table, "*d r p"]
    stop: Int32[_Table, "*d r p"]
    lead: Int32[_Table, "*d r p"]
    start: Float32[_Table, "*d r p"]
    baseline_px: Float32[_Table, "*d r p"]
    band_px: Float32[_Table, "*d r p"]
    px_per_mv: Float32[_Table, "*d r p"]
    samples_per_column: Float32[_Table, "*d"]
    pen_px: Float32[_Table, "*d"]
    tip: Float32[_Table, "*d k"]
    per_pixel: int = dataclasses.field(metadata={"static": True})
    width: int = dataclasses.field(metadata={"static": True})
    most_inside: int = dataclasses.field(metadata={"static": True})


class TracePlan(NamedTuple):
    """Which samples the pen passes in each sub-column (axis s) of each row (axis r).

    Where `drawn` is false no strip is. `left` and `right` are the sub-column's borders in samples,
    with a fraction.
    """

    drawn: Bool[Array, "r s"]
    lead: Int32[Array, "r s"]
    left: Float32[Array, "r s"]
    right: Float32[Array, "r s"]
    baseline_px: Float32[Array, "r s"]
    band_px: Float32[Array, "r s"]
    px_per_mv: Float32[Array, "r s"]


def sub_columns_per_pixel(pen_px: float) -> int:
    """Sub-columns a pixel: enough for a pen to be several wide, four where it is a hairline."""
    return 4 if pen_px < 2 else 2


def pen_reach(pen_px: float, per_pixel: int) -> int:
    """How many neighbouring sub-columns on each side the pen's tip covers."""
    return max(0, math.ceil((pen_px * per_pixel - 1) / 2))


def trace_geometry(sheets: Sequence[Sheet], *, rate_hz: float) -> TraceGeometry:
    """The tables of several sheets of one size, one after the other along the first axis."""
    per_pixel = sub_columns_per_pixel(min(sheet.pen_px for sheet in sheets))
    most_rows = max(sheet.layout.num_rows for sheet in sheets)
    most_strips = max(len(row) for sheet in sheets for row in _rows(sheet))
    most_reach = max(pen_reach(sheet.pen_px, per_pixel) for sheet in sheets)
    tables = [
        _tables(sheet, per_pixel=per_pixel, rate_hz=rate_hz, shape=(most_rows, most_strips))
        for sheet in sheets
    ]
    per_column = [_samples_per_column(sheet, per_pixel, rate_hz) for sheet in sheets]
    return TraceGeometry(
        **{name: np.stack([table[name] for table in tables]) for name in tables[0]},
        samples_per_column=np.float32(per_column),
        pen_px=np.float32([sheet.pen_px for sheet in sheets]),
        tip=np.stack([_tip(sheet.pen_px, per_pixel, most_reach) for sheet in sheets]),
        per_pixel=per_pixel,
        width=sheets[0].width,
        most_inside=math.floor(max(per_column)) + 1,
    )


def plan_traces(geometry: TraceGeometry) -> TracePlan:
    """The plan of one sheet: of each sub-column, the strip that is drawn there."""
    columns = jnp.arange(geometry.width * geometry.per_pixel, dtype=jnp.int32)[None, :]
    first, stop = geometry.first[:, :, None], geometry.stop[:, :, None]
    num_strips = first.shape[1]

    def chosen(values: Array) -> Array:
        result = jnp.broadcast_to(values[:, :1], drawn.shape)
        for strip in range(1, num_strips):
            result = jnp.where(columns >= first[:, strip], values[:, strip, None], result)
        return result

    drawn = ((columns[None] >= first) & (columns[None] < stop)).any(axis=1)
    left = chosen(geometry.start) + columns * geometry.samples_per_column
    return TracePlan(
        drawn=drawn,
        lead=chosen(geometry.lead),
        left=left,
        right=left + geometry.samples_per_column,
        baseline_px=chosen(geometry.baseline_px),
        band_px=chosen(geometry.band_px),
        px_per_mv=chosen(geometry.px_per_mv),
    )


def _tables(
    sheet: Sheet, *, per_pixel: int, rate_hz: float, shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """The fields of a `TraceGeometry` that have a value a strip."""
    nowhere = sheet.width * per_pixel
    tables = {name: np.full(shape, nowhere, np.int32) for name in ("first", "stop")}
    tables["lead"] = np.zeros(shape, np.int32)
    for name in ("start", "baseline_px", "band_px", "px_per_mv"):
        tables[name] = np.zeros(shape, np.float32)
    per_mm = per_pixel * sheet.px_per_mm
    # The pen's tip is round: it lifts early enough to end where the next strip begins.
    reach = pen_reach(sheet.pen_px, per_pixel)
    for row, strips in enumerate(_rows(sheet)):
        for place, strip in enumerate(strips):
            where = (row, place)
            tables["first"][where] = round(strip.x_mm * per_mm) + reach
            tables["stop"][where] = round((strip.x_mm + strip.width_mm) * per_mm) - reach
            tables["lead"][where] = STANDARD_LEADS.index(strip.lead)
            start_s = strip.start_s - strip.x_mm / sheet.paper.mm_per_s
            tables["start"][where] = start_s * rate_hz
            tables["baseline_px"][where] = strip.baseline_mm * sheet.px_per_mm
            tables["band_px"][where] = 0.5 * strip.row_height_mm * sheet.px_per_mm
            tables["px_per_mv"][where] = strip.polarity * strip.mm_per_mv * sheet.px_per_mm
    return tables


def _rows(sheet: Sheet) -> list[list[Strip]]:
    """The strips of each row from left to right."""
    rows: list[list[Strip]] = [[] for _ in range(sheet.layout.num_rows)]
    for strip in sorted(sheet.strips, key=lambda strip: strip.x_mm):
        rows[strip.row].append(strip)
    return rows


def _samples_per_column(sheet: Sheet, per_pixel: int, rate_hz: float) -> float:
    return rate_hz / (sheet.px_per_mm * per_pixel * sheet.paper.mm_per_s)


def _tip(pen_px: float, per_pixel: int, most_reach: int) -> np.ndarray:
    reach = pen_reach(pen_px, per_pixel)
    columns = np.arange(-most_reach, most_reach + 1)
    height = np.sqrt(np.maximum((pen_px / 2) ** 2 - (columns / per_pixel) ** 2, 0))
    return np.where(np.abs(columns) <= reach, height, -np.inf).astype(np.float32)
