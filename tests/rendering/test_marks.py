import dataclasses

import numpy as np
import pytest

from ecgmae_jax.rendering.header import Header
from ecgmae_jax.rendering.lettering import lettering
from ecgmae_jax.rendering.marks import Marks, pulse_room_mm
from ecgmae_jax.rendering.named_sheets import make_sheet

_BARE = Marks(name_mm=0.0, pulse="none")


def _print(layout="3x4+1", *, mm_per_s=25.0, left_mm=19.4, **marks):
    sheet = make_sheet(layout, height=850, width=1100, mm_per_s=mm_per_s)
    sheet = dataclasses.replace(
        sheet,
        field=dataclasses.replace(sheet.field, left_mm=left_mm),
        marks=dataclasses.replace(_BARE, **marks),
        header=Header(),
    )
    return sheet, lettering(sheet)


def test_nothing_is_printed_where_nothing_is_asked_for():
    assert _print()[1].max() == 0


@pytest.mark.parametrize("separator", ["tick", "pair", "mark", "dashed"])
def test_separators_stand_between_the_columns_and_nowhere_else(separator):
    sheet, printed = _print(separator=separator)
    starts = sorted({round(s.x_mm * sheet.px_per_mm) for s in sheet.strips})[1:]
    inked = np.flatnonzero(printed.max(axis=0) > 0)
    assert len(starts) == 3
    assert all(min(abs(column - start) for start in starts) <= 2 for column in inked)
    for start in starts:
        assert printed[:, start - 1 : start + 2].max() > 0.5


def test_a_tick_is_centred_on_the_baseline_and_as_long_as_said():
    sheet, printed = _print(separator="tick", separator_mm=3.0)
    rows = printed.sum(axis=1)
    ink_mm = rows.sum() / sheet.px_per_mm / (3 * sheet.pen_px)
    # Three rows of four columns; the rhythm strip has none. The pen adds its width.
    assert ink_mm == pytest.approx(3 * (6.0 + 0.4), rel=0.01)
    baseline = sheet.strips[0].baseline_mm * sheet.px_per_mm
    near = np.arange(round(baseline) - 20, round(baseline) + 20)
    assert (near + 0.5) @ rows[near] / rows[near].sum() == pytest.approx(baseline, abs=0.1)


def test_one_column_has_no_separators():
    assert _print("12x1", separator="dashed")[1].max() == 0


@pytest.mark.parametrize("mm_per_s", [25.0, 50.0])
def test_a_pulse_on_the_right_is_one_on_the_left_moved(mm_per_s):
    sheet, left = _print("6x2", mm_per_s=mm_per_s, left_mm=14.4, pulse="left")
    _, right = _print("6x2", mm_per_s=mm_per_s, left_mm=14.4, pulse="right")
    start, stop = ((14.4 + x + sheet.origin_mm[0]) * sheet.px_per_mm for x in (0, 250))
    assert left[:, round(start) :].max() == 0
    assert right[:, : round(stop)].max() == 0
    assert right.sum() == pytest.approx(left.sum(), rel=0.01)
    inked = np.flatnonzero(right.max(axis=0) > 0.01)
    assert inked.max() - stop <= pulse_room_mm(mm_per_s) * sheet.px_per_mm + sheet.pen_px


def test_names_stand_where_asked_and_in_the_typeface_asked_for():
    sheet, above = _print("12x1", name_mm=3.0, name_above_mm=2.0)
    _, below = _print("12x1", name_mm=3.0, name_above_mm=-5.0)
    shift = round(7.0 * sheet.px_per_mm)
    # To a quarter of a pixel the same letters, lower.
    corr = np.corrcoef(np.roll(above, shift, axis=0).ravel(), below.ravel())[0, 1]
    assert corr > 0.9
    _, serif = _print("12x1", name_mm=3.0, name_above_mm=2.0, typeface="serif")
    assert not np.array_equal(serif, above)
    assert serif.sum() == pytest.approx(above.sum(), rel=0.5)


def test_cabrera_prints_the_minus():
    def name(layout):
        sheet, printed = _print(layout, name_mm=3.2)
        strip = next(s for s in sheet.strips if s.lead == "aVR")
        foot = (strip.baseline_mm - min(8.0, 0.3 * strip.row_height_mm)) * sheet.px_per_mm
        left = round(strip.x_mm * sheet.px_per_mm)
        return printed[round(foot) - 16 : round(foot) + 4, left : left + 60].sum()

    assert name("12x1 cabrera") > 1.03 * name("12x1")
