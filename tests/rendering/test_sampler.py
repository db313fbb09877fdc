import collections
import json

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.marks import pulse_room_mm
from ecgmae_jax.rendering.sampler import LAYOUT_WEIGHTS, LayoutSampler

_COUNT = 400


@pytest.fixture(scope="module")
def sheets():
    return LayoutSampler(7, height=192, width=256).sheets(_COUNT)


def test_the_seed_decides_and_more_sheets_begin_with_the_same(sheets):
    again = LayoutSampler(7, height=192, width=256)
    assert again.sheets(20) == sheets[:20]
    assert again.sheet(13) == sheets[13]
    assert LayoutSampler(8, height=192, width=256).sheets(20) != sheets[:20]
    assert len(set(sheets)) == _COUNT


def test_all_are_of_the_size_asked_for_with_the_whole_paper_in_the_picture(sheets):
    for sheet in sheets:
        assert (sheet.height, sheet.width, sheet.channels) == (192, 256, 1)
        assert min(sheet.origin_mm) >= -1e-9
    upright = LayoutSampler(7, height=256, width=192).sheets(50)
    share = sum(sheet.paper.height_mm > sheet.paper.width_mm for sheet in upright) / 50
    assert share > 0.7


def test_traces_pulses_and_words_stay_on_the_paper(sheets):
    for sheet in sheets:
        field, paper = sheet.field, sheet.paper
        room = pulse_room_mm(paper.mm_per_s)
        assert field.left_mm >= (room if sheet.marks.pulse == "left" else 0)
        right_mm = field.left_mm + field.width_mm
        assert right_mm + (room if sheet.marks.pulse == "right" else 0) <= paper.width_mm
        for text in sheet.header.texts if sheet.header else ():
            assert 0 < text.x_mm < 0.95 * paper.width_mm
            assert text.capital_mm <= text.foot_mm < paper.height_mm
            in_field = field.top_mm < text.foot_mm < field.top_mm + field.height_mm
            assert not in_field


def test_settings_are_as_frequent_as_on_real_sheets(sheets):
    def share(claim):
        return sum(map(claim, sheets)) / _COUNT

    layouts = collections.Counter(sheet.layout.name for sheet in sheets)
    assert layouts.most_common(1)[0][0] == "3x4+1"
    assert set(layouts) == set(LAYOUT_WEIGHTS)
    assert share(lambda s: s.paper.mm_per_s == 25) == pytest.approx(0.9, abs=0.05)
    assert share(lambda s: s.paper.mm_per_mv == 10) == pytest.approx(0.84, abs=0.06)
    assert {s.paper.mm_per_mv for s in sheets} == {5.0, 10.0, 20.0}
    assert share(lambda s: s.paper.chest_gain == 0.5) == pytest.approx(0.05, abs=0.03)
    assert all(0.25 <= s.paper.pen_mm <= 0.5 for s in sheets)
    assert {s.marks.pulse for s in sheets} == {"left", "right", "none"}
    assert {s.marks.separator for s in sheets} == {"none", "tick", "mark", "pair", "dashed"}


def test_the_words_name_the_speed_and_gain_of_the_sheet(sheets):
    with_footer = 0
    for sheet in sheets:
        words = " ".join(text.text for text in sheet.header.texts) if sheet.header else ""
        if "mm/mV" in words:
            assert f"{sheet.paper.mm_per_s:g}" in words
            assert f"{sheet.paper.mm_per_mv:g}" in words
            with_footer += 1
    assert with_footer > 0.6 * _COUNT


def test_the_words_name_both_gains_of_a_sheet_with_two(sheets):
    footers = [
        " ".join(text.text for text in sheet.header.texts)
        for sheet in sheets
        if sheet.header and sheet.paper.chest_gain == 0.5
    ]
    stated = [words for words in footers if "mm/mV" in words]
    assert len(stated) > 5
    for words in stated:
        assert "10/5" in words or ("Limb: 10" in words and "Chest: 5" in words)


def test_only_sheets_with_limb_and_chest_leads_have_two_gains(sheets):
    for sheet in sheets:
        if sheet.paper.chest_gain != 1:
            assert {strip.mm_per_mv for strip in sheet.strips} == {10.0, 5.0}


def test_the_layouts_can_be_chosen():
    sampler = LayoutSampler(1, layouts={"12x1": 1.0, "2x6": 3.0})
    names = collections.Counter(sheet.layout.name for sheet in sampler.sheets(100))
    assert set(names) == {"12x1", "2x6"}
    assert names["2x6"] > names["12x1"]
    with pytest.raises(InputError, match="no layout '5x5'"):
        LayoutSampler(1, layouts={"5x5": 1.0}).sheet(0)


def test_descriptions_are_json(sheets):
    for sheet in sheets[:50]:
        assert json.loads(json.dumps(sheet.as_dict())) == sheet.as_dict()
