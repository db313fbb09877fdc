"""Where the strips of a layout stand on the paper, in millimetres."""

import dataclasses
import math

from ecgmae_jax.rendering.layouts import CHEST_LEADS, Field, Layout, Strip
from ecgmae_jax.rendering.paper import Paper

_LARGE_SQUARE_MM = 5.0
_TALLEST_ROW_MM = 75.0
_RIGHT_MM = 5.0
# Below the field: speed and gain, and the printer's own margin.
_BOTTOM_MM = 10.0


def strips_on_paper(layout: Layout, paper: Paper, field: Field | None = None) -> tuple[Strip, ...]:
    """The strips of a layout in millimetres from the corner of the paper, row by row."""
    field = field or Field()
    width_mm = field.width_mm / len(layout.columns)
    row_height_mm = field.height_mm / layout.num_rows

    def strip(name: str, *, row: int, column: int, width_mm: float) -> Strip:
        lead = name.removeprefix("-")
        duration_s = width_mm / paper.mm_per_s
        windows_before = {
            "sequential": column,
            "simultaneous": 0,
            "running": row * len(layout.columns) + column,
        }
        return Strip(
            lead=lead,
            start_s=windows_before[layout.windows] * duration_s,
            duration_s=duration_s,
            x_mm=field.left_mm + column * width_mm,
            width_mm=width_mm,
            baseline_mm=field.top_mm + (row + 0.5) * row_height_mm,
            row=row,
            row_height_mm=row_height_mm,
            mm_per_mv=paper.chest_mm_per_mv if lead in CHEST_LEADS else paper.mm_per_mv,
            polarity=-1 if name.startswith("-") else 1,
        )

    rows = list(zip(*layout.columns, strict=True))
    strips = [
        strip(lead, row=row, column=column, width_mm=width_mm)
        for row, leads in enumerate(rows)
        for column, lead in enumerate(leads)
    ]
    strips += [
        strip(lead, row=len(rows) + i, column=0, width_mm=field.width_mm)
        for i, lead in enumerate(layout.rhythm)
    ]
    return tuple(strips)


def field_on(layout: Layout, paper: Paper) -> Field:
    """Where the layout stands on the paper: rows and width a whole number of large squares."""
    standard = Field()
    width_mm = whole_squares(paper.width_mm - standard.left_mm - _RIGHT_MM)
    row_mm = whole_squares((paper.height_mm - standard.top_mm - _BOTTOM_MM) / layout.num_rows)
    return dataclasses.replace(
        standard,
        width_mm=min(width_mm, standard.width_mm),
        height_mm=min(row_mm, _TALLEST_ROW_MM) * layout.num_rows,
    )


def whole_squares(length_mm: float) -> float:
    """The longest whole number of large squares within a length, rounding errors forgiven."""
    return math.floor(length_mm / _LARGE_SQUARE_MM + 1e-6) * _LARGE_SQUARE_MM
