import dataclasses

import numpy as np
import pytest

from ecgmae_jax.rendering.grid import grid_picture
from ecgmae_jax.rendering.header import Header, Text
from ecgmae_jax.rendering.layouts import LAYOUTS
from ecgmae_jax.rendering.lettering import lettering, text_coverage
from ecgmae_jax.rendering.named_sheets import make_sheet


def _name_box(mask, sheet, strip):
    scale = sheet.px_per_mm
    left, foot = round((strip.x_mm + 0.5) * scale), strip.baseline_mm - 4
    return mask[round((foot - 9) * scale) : round(foot * scale), left : left + round(12 * scale)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_strip_has_its_name(layout):
    sheet = make_sheet(layout, height=850, width=1100)
    mask = lettering(sheet)
    assert mask.min() >= 0
    assert mask.max() <= 1
    boxes = {}
    for strip in sheet.strips:
        box = _name_box(mask, sheet, strip)
        assert box.max() > 0.9
        boxes[strip.lead] = box.sum()
    assert len({round(float(ink), 1) for ink in boxes.values()}) == len(boxes)


@pytest.mark.parametrize("size", [(384, 512), (192, 256)])
def test_names_stay_dark_enough_to_read_on_small_pictures(size):
    sheet = make_sheet(height=size[0], width=size[1])
    mask = lettering(sheet)
    assert all(_name_box(mask, sheet, strip).max() > 0.6 for strip in sheet.strips)


@pytest.mark.parametrize(
    ("mm_per_s", "mm_per_mv"), [(25.0, 10.0), (50.0, 10.0), (25.0, 5.0), (25.0, 20.0)]
)
def test_the_pulse_is_one_millivolt_for_200_ms(mm_per_s, mm_per_mv):
    sheet = make_sheet("3x4", height=850, width=1100, mm_per_s=mm_per_s, mm_per_mv=mm_per_mv)
    scale = sheet.px_per_mm
    strip = next(s for s in sheet.strips if s.row == 1)
    foot = strip.baseline_mm * scale
    left_of_field = lettering(sheet)[:, : round((strip.x_mm - 1) * scale)]
    first = round(foot - (mm_per_mv + 2) * scale)
    above = left_of_field[first : round(foot) - 3]
    row_of_head = first + 0.5 + (above > 0.5).sum(axis=1).argmax()
    middle = round(foot - mm_per_mv * scale / 2) - first
    sides = (np.arange(above.shape[1]) + 0.5)[above[middle] > 0.5]
    assert foot - row_of_head == pytest.approx(mm_per_mv * scale, abs=1)
    assert sides.max() - sides.min() + 1 == pytest.approx(
        0.2 * mm_per_s * scale + sheet.pen_px, abs=1.2
    )


def _heads_mm(sheet, strip):
    """How high the pen stands above a strip's baseline in every column left of the field."""
    scale = sheet.px_per_mm
    foot = strip.baseline_mm * scale
    top = round(foot - 13 * scale)
    pulse = lettering(sheet)[top : round(foot + 1 * scale), : round((strip.x_mm - 0.5) * scale)]
    heights = (foot - (top + 0.5 + (pulse > 0.5).argmax(axis=0))) / scale
    return heights[(pulse > 0.5).any(axis=0)]


def _printed_gains(sheet, row):
    """Heights above the baseline, in mm, at which the pulse of a row stands, and how long each."""
    strip = next(s for s in sheet.strips if s.row == row)
    heights, counts = np.unique(np.rint(_heads_mm(sheet, strip)), return_counts=True)
    return dict(zip(heights.tolist(), (counts / sheet.px_per_mm).tolist(), strict=True))


def test_the_pulse_of_a_row_with_two_gains_is_a_stair_of_both():
    sheet = make_sheet("3x4+1", height=850, width=1100, chest_gain=0.5)
    of_limb_and_chest, of_ii = _printed_gains(sheet, 0), _printed_gains(sheet, 3)
    assert of_limb_and_chest[10.0] == pytest.approx(2.5 + 0.4, abs=0.4)
    assert of_limb_and_chest[5.0] == pytest.approx(2.5, abs=0.4)
    assert of_ii[10.0] == pytest.approx(5.0 + 0.4, abs=0.4)
    assert 5.0 not in of_ii


def test_the_pulse_of_a_row_is_that_of_its_lead():
    sheet = make_sheet("12x1", height=850, width=1100, chest_gain=0.5)
    assert max(_printed_gains(sheet, 5)) == 10.0
    assert max(_printed_gains(sheet, 6)) == 5.0


def test_two_gains_stand_at_the_foot_as_machines_print_them():
    sheet = make_sheet(height=850, width=1100, chest_gain=0.5)
    field = sheet.field
    words = Text(
        "25 mm/s   10/5 mm/mV", field.left_mm, field.top_mm + field.height_mm + 8, capital_mm=2.6
    )
    by_hand = dataclasses.replace(sheet, header=Header((words,)))
    np.testing.assert_array_equal(lettering(sheet), lettering(by_hand))


def test_the_footer_says_speed_and_gain():
    def footer(**settings):
        sheet = make_sheet(height=850, width=1100, **settings)
        return lettering(sheet)[round(201 * sheet.px_per_mm) :]

    assert footer().sum() > 50
    assert not np.array_equal(footer(), footer(mm_per_s=50.0))
    assert not np.array_equal(footer(), footer(mm_per_mv=5.0))
    np.testing.assert_array_equal(footer(), footer())


def test_a_header_is_printed_where_it_says_and_replaces_the_footer():
    plain = make_sheet(height=850, width=1100)
    text = Text("ID: 0412", x_mm=100.0, foot_mm=12.0, capital_mm=2.5)
    sheet = dataclasses.replace(plain, header=Header((text,)))
    scale, (x_mm, y_mm) = sheet.px_per_mm, sheet.origin_mm
    more = lettering(sheet) - lettering(dataclasses.replace(plain, header=Header()))
    rows, columns = np.nonzero(more > 0.3)
    assert rows.max() + 1 == pytest.approx((y_mm + 12.0) * scale, abs=2)
    assert rows.max() - rows.min() + 1 == pytest.approx(2.5 * scale, abs=2)
    assert columns.min() == pytest.approx((x_mm + 100.0) * scale, abs=3)
    assert lettering(sheet)[round(201 * scale) :].max() == 0


def test_print_of_another_colour_lies_on_the_paper_and_the_pulse_stays_with_the_pen():
    plain = make_sheet(height=384, width=512, channels=3, style="blank")
    paper = dataclasses.replace(plain.paper, ink_colour=(0, 0, 255), print_colour=(0, 128, 0))
    sheet = dataclasses.replace(plain, paper=paper)
    letters, pen = text_coverage(sheet), lettering(sheet)
    assert letters.sum() > 100
    np.testing.assert_allclose(pen + letters, lettering(plain), atol=1e-6)
    expected = 255 - letters[:, :, None] * np.float32([255, 127, 255])
    np.testing.assert_allclose(grid_picture(sheet), expected, atol=1e-3)
