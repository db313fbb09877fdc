"""Layouts: which leads a machine prints where, and which seconds of them.

A layout is data: columns of leads side by side, and rhythm strips below them.
"""

import dataclasses
from typing import Literal

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS


@dataclasses.dataclass(frozen=True)
class Layout:
    """Columns of leads, each column a window of time, and leads drawn over the whole width.

    A minus before a lead's name draws it upside down, as Cabrera's order does with -aVR. A page
    need not hold twelve leads: machines print limb and chest leads on pages of their own, monitors
    three leads, watches one.

    Attributes:
        windows: the seconds of a column. `sequential` columns show consecutive seconds, as most
            machines print them, so that a rhythm strip runs in time with the columns above it;
            `simultaneous` columns show the same first seconds; `running` rows continue the row
            above them, as a long strip cut into pieces does.
    """

    name: str
    columns: tuple[tuple[str, ...], ...]
    rhythm: tuple[str, ...] = ()
    windows: Literal["sequential", "simultaneous", "running"] = "sequential"

    @property
    def num_rows(self) -> int:
        """Rows of traces on the sheet."""
        return len(self.columns[0]) + len(self.rhythm)


@dataclasses.dataclass(frozen=True)
class Field:
    """The rectangle of the paper that holds the traces, in mm from the paper's corner.

    10 s at 25 mm/s wide; the height is a whole number of large squares for 3, 4, 6 and 12 rows
    alike, so that every baseline lies on the same phase of the grid. The calibration pulse stands
    left of it, the machine's header above.
    """

    left_mm: float = 19.4
    top_mm: float = 20.0
    width_mm: float = 250.0
    height_mm: float = 180.0


@dataclasses.dataclass(frozen=True)
class Strip:
    """One lead on the paper: the seconds from `start_s`, drawn rightwards from `x_mm`.

    `x_mm` and `baseline_mm` (0 mV) are measured from the upper left corner of the paper, or of
    the picture where a sheet hands them out; `row` counts from the top and `row_height_mm` is the
    distance to the next row. `mm_per_mv` is its own gain. `polarity` is -1 where the lead is drawn
    upside down. A trace may leave its row, as on paper.
    """

    lead: str
    start_s: float
    duration_s: float
    x_mm: float
    width_mm: float
    baseline_mm: float
    row: int
    row_height_mm: float
    mm_per_mv: float
    polarity: int = 1

    @property
    def printed_name(self) -> str:
        """The lead's name as it stands beside the trace."""
        return self.lead if self.polarity > 0 else f"-{self.lead}"


_LIMB, CHEST_LEADS = STANDARD_LEADS[:6], STANDARD_LEADS[6:]
# The limb leads in the order of their axes, from -30 to 120 degrees.
_CABRERA = ("aVL", "I", "-aVR", "II", "aVF", "III")
_WATCH = Layout("I in 3 rows", (("I",) * 3,), windows="running")


def _by(rows: int, limb: tuple[str, ...] = _LIMB) -> tuple[tuple[str, ...], ...]:
    """The twelve leads in columns of so many rows, limb leads first."""
    return _columns(limb + CHEST_LEADS, rows)


def _columns(leads: tuple[str, ...], rows: int) -> tuple[tuple[str, ...], ...]:
    return tuple(leads[i : i + rows] for i in range(0, len(leads), rows))


def _simultaneous(layout: Layout) -> Layout:
    name = f"{layout.name} simultaneous"
    return dataclasses.replace(layout, name=name, windows="simultaneous")


_PLAIN = (
    Layout("3x4+1", _by(3), rhythm=("II",)),
    Layout("3x4", _by(3)),
    Layout("6x2", _by(6)),
    Layout("12x1", _by(12)),
    Layout("3x4+1 V1", _by(3), rhythm=("V1",)),
    Layout("3x4+2", _by(3), rhythm=("II", "V5")),
    Layout("3x4+3", _by(3), rhythm=("II", "V1", "V5")),
    Layout("6x2+1", _by(6), rhythm=("II",)),
    Layout("4x3", _by(4)),
    Layout("2x6", _by(2)),
    Layout("3x4+1 cabrera", _by(3, _CABRERA), rhythm=("II",)),
    Layout("6x2 cabrera", _by(6, _CABRERA)),
    Layout("12x1 cabrera", _by(12, _CABRERA)),
    Layout("6x1", _columns(_LIMB, 6)),
    Layout("6x1 cabrera", _columns(_CABRERA, 6)),
    Layout("6x1 chest", _columns(CHEST_LEADS, 6)),
    Layout("3x2", _columns(_LIMB, 3)),
    Layout("3x2 chest", _columns(CHEST_LEADS, 3)),
    Layout("3x1", _columns(("I", "II", "III"), 3)),
)
# Rows by columns, rhythm strips after the plus; with fewer than twelve leads the limb leads,
# unless the name says chest. Orders and rhythm leads are those of the Open ECG Digitizer (Ahus-AIM,
# `lead_layouts_all.yml`); the 3x2 of limb leads, not among them, is the other half of its chest
# page.
LAYOUTS = {
    layout.name: layout
    for layout in (
        *_PLAIN,
        *(_simultaneous(layout) for layout in _PLAIN if len(layout.columns) > 1),
        _WATCH,
    )
}


def layout_named(name: str) -> Layout:
    """The layout of that name, or an `InputError` that lists the names there are."""
    if name not in LAYOUTS:
        raise InputError(f"no layout {name!r}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]
