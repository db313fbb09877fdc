"""Layouts: which lead is drawn where on the paper, and which seconds of it.

A layout is data: columns of leads read side by side in time, and rhythm strips below them.
"""

import dataclasses

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.paper import Paper

# The traced field: 10 s at 25 mm/s wide; its height is a whole number of large squares for
# 3, 4, 6 and 12 rows alike, so every baseline lies on the same phase of the grid.
FIELD_WIDTH_MM = 250.0
FIELD_HEIGHT_MM = 180.0
# The calibration pulse stands left of the field, the machine's header above it.
FIELD_LEFT_MM = 19.4
FIELD_TOP_MM = 20.0


@dataclasses.dataclass(frozen=True)
class Layout:
    """Columns of leads, each column a window of time, and leads drawn over the whole width.

    Consecutive columns show consecutive seconds, as machines print them, so that a rhythm strip
    runs in time with the columns above it.
    """

    name: str
    columns: tuple[tuple[str, ...], ...]
    rhythm: tuple[str, ...] = ()

    @property
    def num_rows(self) -> int:
        """Rows of traces on the sheet."""
        return len(self.columns[0]) + len(self.rhythm)


@dataclasses.dataclass(frozen=True)
class Strip:
    """One lead on the paper: the seconds from `start_s`, drawn rightwards from `x_mm`.

    `x_mm` and `baseline_mm` (0 mV) are measured from the upper left corner of the paper, or of
    the picture where a sheet hands them out; `row` counts from the top and `row_height_mm` is the
    distance to the next row. A trace may leave its row, as on paper.
    """

    lead: str
    start_s: float
    duration_s: float
    x_mm: float
    width_mm: float
    baseline_mm: float
    row: int
    row_height_mm: float


_LIMB, _CHEST = STANDARD_LEADS[:6], STANDARD_LEADS[6:]
_BY_THREES = (_LIMB[:3], _LIMB[3:], _CHEST[:3], _CHEST[3:])

LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("3x4+1", _BY_THREES, rhythm=("II",)),
        Layout("3x4", _BY_THREES),
        Layout("6x2", (_LIMB, _CHEST)),
        Layout("12x1", (STANDARD_LEADS,)),
    )
}


def layout_named(name: str) -> Layout:
    """The layout of that name, or an `InputError` that lists the names there are."""
    if name not in LAYOUTS:
        raise InputError(f"no layout {name!r}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def strips_on_paper(layout: Layout, paper: Paper) -> tuple[Strip, ...]:
    """The strips of a layout in millimetres from the corner of the paper, row by row."""
    width_mm = FIELD_WIDTH_MM / len(layout.columns)
    row_height_mm = FIELD_HEIGHT_MM / layout.num_rows

    def strip(lead: str, *, row: int, column: int, width_mm: float) -> Strip:
        duration_s = width_mm / paper.mm_per_s
        return Strip(
            lead=lead,
            start_s=column * duration_s,
            duration_s=duration_s,
            x_mm=FIELD_LEFT_MM + column * width_mm,
            width_mm=width_mm,
            baseline_mm=FIELD_TOP_MM + (row + 0.5) * row_height_mm,
            row=row,
            row_height_mm=row_height_mm,
        )

    rows = list(zip(*layout.columns, strict=True))
    strips = [
        strip(lead, row=row, column=column, width_mm=width_mm)
        for row, leads in enumerate(rows)
        for column, lead in enumerate(leads)
    ]
    strips += [
        strip(lead, row=len(rows) + i, column=0, width_mm=FIELD_WIDTH_MM)
        for i, lead in enumerate(layout.rhythm)
    ]
    return tuple(strips)
