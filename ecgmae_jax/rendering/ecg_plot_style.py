"""The look of ecg-plot 0.2.8, drawn by this package's own drawer.

Its sheet has six rows and two columns that show the same ten seconds, an inch a second and 0.4
inch a millivolt, rows that are 3 mV apart and not cut, and lines of half a point.
"""

from ecgmae_jax.rendering.header import Header, Text
from ecgmae_jax.rendering.layouts import Field, layout_named
from ecgmae_jax.rendering.marks import Marks
from ecgmae_jax.rendering.paper import Paper
from ecgmae_jax.rendering.sheet import Sheet

_INCH_MM = 25.4
_POINT_MM = _INCH_MM / 72
_MM_PER_S = _INCH_MM
_MM_PER_MV = 0.4 * _INCH_MM
_SECONDS, _COLUMNS = 10.0, 2
_ROW_MV, _ROWS = 3.0, 6
_LINE_MM = 0.5 * _POINT_MM
# matplotlib's rasteriser lays down a little more ink than the width of a thin line.
_INK = 1.02
# matplotlib moves upright and level lines to the middle of a pixel, a hundred of which are an inch.
_SNAP_MM = 0.005 * _INCH_MM
# Capitals of DejaVu Sans, as a share of the size of the font.
_CAPITAL = 0.729
_TITLE = Text("ECG 12", 9.685 * _INCH_MM, 0.27 * _INCH_MM, 12 * _POINT_MM * _CAPITAL)


def ecg_plot_sheet(*, height: int = 720, width: int = 2000, channels: int = 3) -> Sheet:
    """The sheet that ecg-plot's `plot` draws of twelve leads of 10 s.

    At the default size it is pixel for pixel at ecg-plot's own scale; at another the whole sheet
    is in the picture, still at one scale for time and voltage.
    """
    width_mm = _COLUMNS * _SECONDS * _MM_PER_S
    height_mm = _ROWS * _ROW_MV * _MM_PER_MV
    paper = Paper(
        width_mm=width_mm,
        height_mm=height_mm,
        mm_per_s=_MM_PER_S,
        mm_per_mv=_MM_PER_MV,
        pen_mm=_INK * _LINE_MM,
        minor_mm=0.04 * _MM_PER_S,
        major_mm=0.2 * _MM_PER_S,
        minor_line_mm=_LINE_MM,
        major_line_mm=_LINE_MM,
        paper_colour=(255, 255, 255),
        minor_colour=(255, 178, 178),
        # ecg-plot's is pure red and has no fine line beneath it.
        major_colour=(255, 22, 22),
        ink_colour=(0, 0, 178),
        print_colour=(0, 0, 0),
        grid_phase_mm=(_SNAP_MM, _SNAP_MM),
    )
    marks = Marks(
        name_mm=9 * _POINT_MM * _CAPITAL,
        name_right_mm=0.07 * _MM_PER_S,
        name_above_mm=-0.5 * _MM_PER_MV,
        typeface="sans plain",
        separator="tick",
        separator_mm=0.3 * _MM_PER_MV,
        pulse="none",
    )
    return Sheet(
        layout_named("6x2 simultaneous"),
        paper,
        height=height,
        width=width,
        channels=channels,
        field=Field(left_mm=0.0, top_mm=0.0, width_mm=width_mm, height_mm=height_mm),
        marks=marks,
        header=Header((_TITLE,), typeface="sans plain"),
    )
