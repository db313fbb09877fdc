"""Where the pen goes: for every narrow column of the picture, how far up and down, and its ink.

The picture is cut into sub-columns, a few to a pixel. Which samples fall into which sub-column
is fixed by the sheet, so it is worked out once, exactly, in numpy; what is left for the device is
a gather, a minimum and a maximum.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.sheet import Sheet


@dataclasses.dataclass(frozen=True, eq=False)
class TracePlan:
    """Which samples the pen passes in each sub-column (axis s) of each row (axis r) of a sheet.

    `left` and `right` are the two borders of a sub-column, `*_fraction` of the way from the
    indexed sample to the next; `inside` are the samples between them (axis m), where there are
    any. Indices point into the leads laid end to end; where `*_recorded` is false there is no
    such sample and the index means nothing.
    """

    left: Int32[np.ndarray, "r s"]
    left_fraction: Float32[np.ndarray, "r s"]
    left_recorded: Bool[np.ndarray, "r s"]
    right: Int32[np.ndarray, "r s"]
    right_fraction: Float32[np.ndarray, "r s"]
    right_recorded: Bool[np.ndarray, "r s"]
    inside: Int32[np.ndarray, "m r s"]
    inside_recorded: Bool[np.ndarray, "m r s"]
    has_inside: Bool[np.ndarray, "r s"]
    baseline_px: Float32[np.ndarray, "r s"]
    per_pixel: int
    pen_px: float
    px_per_mv: float


def sub_columns_per_pixel(pen_px: float) -> int:
    """Sub-columns a pixel: enough for a pen to be several wide, four where it is a hairline."""
    return 4 if pen_px < 2 else 2


def pen_reach(pen_px: float, per_pixel: int) -> int:
    """How many neighbouring sub-columns on each side the pen's tip covers."""
    return max(0, math.ceil((pen_px * per_pixel - 1) / 2))


def plan_traces(sheet: Sheet, *, num_samples: int, rate_hz: float) -> TracePlan:
    """The plan of a sheet for recordings of `num_samples` samples at `rate_hz`."""
    scale = sheet.px_per_mm
    per_pixel = sub_columns_per_pixel(sheet.pen_px)
    lead, seconds, baseline_mm = _on_sub_columns(sheet, per_pixel=per_pixel)
    offset = lead * num_samples
    left = seconds * rate_hz
    right = left + rate_hz / (scale * per_pixel * sheet.paper.mm_per_s)
    first_inside, last_inside = np.ceil(left), np.floor(right)
    most = max(1, int((last_inside - first_inside).max()) + 1)
    inside = [np.minimum(first_inside + m, last_inside) for m in range(most)]

    def located(sample: np.ndarray, *, last: int) -> tuple[np.ndarray, np.ndarray]:
        recorded = (sample >= 0) & (sample <= last)
        return np.where(recorded, offset + sample, 0).astype(np.int32), recorded

    left_index, left_recorded = located(np.floor(left), last=num_samples - 2)
    right_index, right_recorded = located(np.floor(right), last=num_samples - 2)
    inside_index, inside_recorded = located(np.stack(inside), last=num_samples - 1)
    return TracePlan(
        left=left_index,
        left_fraction=(left - np.floor(left)).astype(np.float32),
        left_recorded=left_recorded,
        right=right_index,
        right_fraction=(right - np.floor(right)).astype(np.float32),
        right_recorded=right_recorded,
        inside=inside_index,
        inside_recorded=inside_recorded,
        has_inside=last_inside >= first_inside,
        baseline_px=(baseline_mm * scale).astype(np.float32),
        per_pixel=per_pixel,
        pen_px=sheet.pen_px,
        px_per_mv=sheet.paper.mm_per_mv * scale,
    )


def _on_sub_columns(
    sheet: Sheet, *, per_pixel: int
) -> tuple[Int64[np.ndarray, "r s"], Float64[np.ndarray, "r s"], Float64[np.ndarray, "r s"]]:
    """Lead, time (s) of the left border, and baseline (mm) of every sub-column of every row.

    Where no strip is drawn the time is long before the recording.
    """
    shape = (sheet.layout.num_rows, sheet.width * per_pixel)
    lead = np.zeros(shape, np.int64)
    seconds = np.full(shape, -1e6)
    baseline_mm = np.zeros(shape)
    per_mm = per_pixel * sheet.px_per_mm
    # The pen's tip is round: it lifts early enough to end where the next strip begins.
    reach = pen_reach(sheet.pen_px, per_pixel)
    for strip in sheet.strips:
        first = round(strip.x_mm * per_mm) + reach
        stop = round((strip.x_mm + strip.width_mm) * per_mm) - reach
        columns = np.arange(max(first, 0), min(stop, shape[1]))
        where = (strip.row, columns)
        lead[where] = STANDARD_LEADS.index(strip.lead)
        seconds[where] = strip.start_s + (columns / per_mm - strip.x_mm) / sheet.paper.mm_per_s
        baseline_mm[where] = strip.baseline_mm
    return lead, seconds, baseline_mm
