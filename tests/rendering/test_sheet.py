import dataclasses
import json

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.ecg_plot_style import ecg_plot_sheet
from ecgmae_jax.rendering.layouts import Field
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.paper import Paper, in_channels


@pytest.mark.parametrize("size", [(384, 512), (192, 256), (224, 224), (850, 1100), (500, 300)])
def test_the_whole_paper_is_in_the_picture_at_one_scale(size):
    sheet = make_sheet(height=size[0], width=size[1])
    x_mm, y_mm = sheet.origin_mm
    scale = sheet.px_per_mm
    assert min(x_mm, y_mm) == pytest.approx(0)
    assert (2 * x_mm + sheet.paper.width_mm) * scale == pytest.approx(size[1])
    assert (2 * y_mm + sheet.paper.height_mm) * scale == pytest.approx(size[0])


def test_the_default_is_about_1_8_pixels_a_millimetre():
    assert make_sheet().px_per_mm == pytest.approx(384 / 215.9)


def test_the_pen_is_as_on_paper_until_it_is_too_fine_for_the_pixels():
    large, small = make_sheet(height=850, width=1100), make_sheet(height=96, width=128)
    assert large.pen_px == pytest.approx(0.4 * 850 / 215.9)
    assert small.pen_px == 0.7
    assert small.as_dict()["pen_mm"] == pytest.approx(0.7 * 215.9 / 96)


def test_strips_move_with_the_paper():
    wide, plain = make_sheet(height=384, width=600), make_sheet(height=384, width=497)
    shift = wide.origin_mm[0] - plain.origin_mm[0]
    for a, b in zip(wide.strips, plain.strips, strict=True):
        assert a.x_mm - b.x_mm == pytest.approx(shift)
        assert a.baseline_mm == pytest.approx(b.baseline_mm)


def test_equal_sheets_are_one_key():
    assert hash(make_sheet()) == hash(make_sheet(mm_per_s=25.0))
    assert make_sheet() == make_sheet(mm_per_s=25.0)
    assert make_sheet() != make_sheet(mm_per_mv=5.0)


def test_as_dict_survives_json():
    sheet = make_sheet("6x2", height=192, width=256, channels=3, mm_per_s=50.0, mm_per_mv=5.0)
    kept = json.loads(json.dumps(sheet.as_dict()))
    assert kept == sheet.as_dict()
    assert (kept["layout"], kept["height"], kept["width"], kept["channels"]) == ("6x2", 192, 256, 3)
    assert (kept["mm_per_s"], kept["mm_per_mv"]) == (50.0, 5.0)
    assert kept["strips"][1]["lead"] == "V1"
    assert kept["strips"][1]["start_s"] == pytest.approx(2.5)


_SCALES = ["px_per_mm", "mm_per_s", "mm_per_mv", "pen_mm"]
_SHEET = ["layout", "height", "width", "channels", *_SCALES, "strips"]
_PLACE = ["x_mm", "width_mm", "baseline_mm", "row", "row_height_mm"]
_STRIP = ["lead", "start_s", "duration_s", *_PLACE]


@pytest.mark.parametrize("layout", ["3x4+1", "3x4", "6x2", "12x1"])
def test_the_description_of_a_plain_sheet_has_no_more_than_it_ever_had(layout):
    # Data sets that were built before there were other sheets are compared with it.
    described = make_sheet(layout, mm_per_s=50.0, channels=3).as_dict()
    assert list(described) == _SHEET
    assert all(list(strip) == _STRIP for strip in described["strips"])


def test_a_description_says_what_is_not_plain():
    described = make_sheet("12x1 cabrera", style="blank", page="a4").as_dict()
    assert described["paper"] == {
        "width_mm": 297.0,
        "height_mm": 210.0,
        "minor_line_mm": 0.0,
        "major_line_mm": 0.0,
        "paper_colour": [255, 255, 255],
    }
    assert [s["lead"] for s in described["strips"] if "polarity" in s] == ["aVR"]
    assert "field" not in described


def test_a_description_names_the_gain_of_strips_that_have_one_of_their_own():
    described = make_sheet("6x2", chest_gain=0.5).as_dict()
    assert described["mm_per_mv"] == 10.0
    assert described["paper"] == {"chest_gain": 0.5}
    gains = {strip["lead"]: strip.get("mm_per_mv") for strip in described["strips"]}
    assert {lead for lead, gain in gains.items() if gain == 5.0} == set(STANDARD_LEADS[6:])
    assert {lead for lead, gain in gains.items() if gain is None} == set(STANDARD_LEADS[:6])


def test_the_gain_is_printed_as_one_number_or_two():
    assert Paper().printed_gain == "10"
    assert Paper(mm_per_mv=2.5).printed_gain == "2.5"
    assert Paper(chest_gain=0.5).printed_gain == "10/5"
    assert Paper(mm_per_mv=20.0, chest_gain=0.5).printed_gain == "20/10"


def test_grey_is_luminance():
    assert in_channels((255, 255, 255), channels=1) == pytest.approx((255.0,))
    assert in_channels((0, 100, 0), channels=1) == pytest.approx((58.7,))
    assert in_channels((1, 2, 3), channels=3) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layout": "2x2"}, "no layout '2x2'"),
        ({"height": 16}, "16 x 512 pixels is too small"),
        ({"channels": 4}, r"channels=4: a sheet has 1 \(grey\) or 3 \(RGB\)"),
        ({"style": "purple"}, "no paper 'purple'"),
        ({"mm_per_s": 0.025}, "mm_per_s=0.025: expected 5 to 100"),
        ({"mm_per_mv": float("nan")}, "mm_per_mv=nan: expected 1 to 50"),
        ({"chest_gain": 5.0}, r"chest_gain=5.0: expected 0.1 to 1, .* \(0.5 for 10/5 mm/mV\)"),
    ],
)
def test_wrong_sheets_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        make_sheet(**wrong)


def test_ecg_plot_s_style_is_its_whole_sheet():
    assert make_sheet(height=720, width=2000, channels=3, style="ecg_plot") == ecg_plot_sheet()
    with pytest.raises(InputError, match="gain of its own, and layout, mm_per_mv was chosen"):
        make_sheet("6x2", mm_per_mv=5.0, style="ecg_plot")
    with pytest.raises(InputError, match="gain of its own, and chest_gain was chosen"):
        make_sheet(chest_gain=0.5, style="ecg_plot")


def test_a_pen_of_no_width_is_refused():
    with pytest.raises(InputError, match="pen_mm=0"):
        Paper(pen_mm=0.0)


def test_traces_that_leave_the_paper_are_refused():
    with pytest.raises(InputError, match=r"traces as far as 319.4 x 200 mm do not fit on a paper"):
        dataclasses.replace(make_sheet(), field=Field(width_mm=300.0))
