import collections

import pytest

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.layouts import LAYOUTS, Field, layout_named
from ecgmae_jax.rendering.paper import Paper
from ecgmae_jax.rendering.placing import field_on, strips_on_paper
from ecgmae_jax.rendering.styles import PAGES, styled_paper

SEQUENTIAL = [name for name, layout in LAYOUTS.items() if layout.windows == "sequential"]
TWELVE_LEADS = [name for name, layout in LAYOUTS.items() if sum(map(len, layout.columns)) == 12]


def _strips(name, paper=None):
    layout, paper = layout_named(name), paper or Paper()
    return strips_on_paper(layout, paper, field_on(layout, paper))


@pytest.mark.parametrize("name", TWELVE_LEADS)
def test_every_lead_is_drawn_once_and_rhythm_leads_once_more(name):
    counts = collections.Counter(strip.lead for strip in _strips(name))
    rhythm = collections.Counter(layout_named(name).rhythm)
    assert counts == collections.Counter(STANDARD_LEADS) + rhythm


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("mm_per_s", [25.0, 50.0])
def test_millimetres_and_seconds_agree(name, mm_per_s):
    for strip in _strips(name, Paper(mm_per_s=mm_per_s)):
        assert strip.width_mm == pytest.approx(strip.duration_s * mm_per_s)


@pytest.mark.parametrize("name", SEQUENTIAL)
@pytest.mark.parametrize("mm_per_s", [25.0, 50.0])
def test_the_same_second_stands_at_the_same_place_on_a_sequential_sheet(name, mm_per_s):
    for strip in _strips(name, Paper(mm_per_s=mm_per_s)):
        assert strip.x_mm - 19.4 == pytest.approx(strip.start_s * mm_per_s)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("page", PAGES)
def test_strips_stay_on_the_paper_and_in_their_rows(name, page):
    paper = styled_paper(page=page)
    strips = _strips(name, paper)
    for strip in strips:
        assert strip.x_mm + strip.width_mm <= paper.width_mm - 5
        assert strip.row_height_mm / 2 <= strip.baseline_mm
        assert strip.baseline_mm <= paper.height_mm - strip.row_height_mm / 2
        assert (strip.baseline_mm - strips[0].baseline_mm) % 5 == pytest.approx(0)
    assert {strip.row for strip in strips} == set(range(layout_named(name).num_rows))


@pytest.mark.parametrize(
    ("name", "durations"),
    [
        ("3x4+1", {2.5, 10.0}),
        ("3x4", {2.5}),
        ("6x2", {5.0}),
        ("6x2 simultaneous", {5.0}),
        ("12x1", {10.0}),
        ("4x3", {10 / 3}),
        ("2x6", {10 / 6}),
        ("3x4+2", {2.5, 10.0}),
        ("6x1 chest", {10.0}),
        ("3x2", {5.0}),
        ("3x1", {10.0}),
        ("I in 3 rows", {10.0}),
    ],
)
def test_durations_halve_at_double_speed(name, durations):
    def drawn(mm_per_s):
        return {round(s.duration_s, 6) for s in _strips(name, Paper(mm_per_s=mm_per_s))}

    assert drawn(25.0) == {round(duration, 6) for duration in durations}
    assert drawn(50.0) == {round(duration / 2, 6) for duration in durations}


def test_columns_read_as_on_a_machine():
    first_row = [s for s in _strips("3x4+1") if s.row == 0]
    assert [(s.lead, s.start_s) for s in first_row] == [
        ("I", 0.0),
        ("aVR", 2.5),
        ("V1", 5.0),
        ("V4", 7.5),
    ]
    together = [s for s in _strips("3x4+1 simultaneous") if s.row == 0]
    assert [(s.lead, s.start_s, s.x_mm) for s in together] == [
        (s.lead, 0.0, s.x_mm) for s in first_row
    ]


def test_rows_of_a_long_strip_follow_one_another():
    strips = _strips("I in 3 rows")
    assert [(s.lead, s.start_s, s.x_mm) for s in strips] == [
        ("I", 0.0, 19.4),
        ("I", 10.0, 19.4),
        ("I", 20.0, 19.4),
    ]


def test_a_minus_turns_a_lead_upside_down():
    strips = {strip.lead: strip for strip in _strips("6x2 cabrera")}
    assert strips["aVR"].polarity == -1
    assert strips["aVR"].printed_name == "-aVR"
    assert {strip.polarity for lead, strip in strips.items() if lead != "aVR"} == {1}


@pytest.mark.parametrize("name", ["3x4+1 V1", "12x1 cabrera", "6x1 chest", "3x1"])
def test_chest_leads_have_their_share_of_the_gain_wherever_they_stand(name):
    for strip in _strips(name, Paper(mm_per_mv=20.0, chest_gain=0.5)):
        assert strip.mm_per_mv == (10.0 if strip.lead in {"V1", *STANDARD_LEADS[6:]} else 20.0)
    assert {strip.mm_per_mv for strip in _strips(name)} == {10.0}


def test_the_plain_layouts_fill_the_plain_field():
    for name in ("3x4+1", "3x4", "6x2", "12x1"):
        assert field_on(layout_named(name), Paper()) == Field()
    portrait = field_on(layout_named("12x1"), styled_paper(page="a4 portrait"))
    assert (portrait.width_mm, portrait.height_mm) == (185.0, 12 * 20.0)
