import collections

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.layouts import LAYOUTS, layout_named, strips_on_paper
from ecgmae_jax.rendering.paper import Paper


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_lead_is_drawn_once_and_rhythm_leads_once_more(name):
    layout = layout_named(name)
    counts = collections.Counter(strip.lead for strip in strips_on_paper(layout, Paper()))
    assert counts == collections.Counter(STANDARD_LEADS) + collections.Counter(layout.rhythm)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("mm_per_s", [25.0, 50.0])
def test_millimetres_and_seconds_agree(name, mm_per_s):
    paper = Paper(mm_per_s=mm_per_s)
    for strip in strips_on_paper(layout_named(name), paper):
        assert strip.width_mm == pytest.approx(strip.duration_s * mm_per_s)
        # The same second stands at the same distance from the left everywhere on the sheet.
        assert strip.x_mm - 19.4 == pytest.approx(strip.start_s * mm_per_s)
        assert strip.x_mm + strip.width_mm <= paper.width_mm - 5
        assert strip.row_height_mm / 2 <= strip.baseline_mm
        assert strip.baseline_mm <= paper.height_mm - strip.row_height_mm / 2


@pytest.mark.parametrize(
    ("name", "durations"),
    [("3x4+1", {2.5, 10.0}), ("3x4", {2.5}), ("6x2", {5.0}), ("12x1", {10.0})],
)
def test_durations_halve_at_double_speed(name, durations):
    def drawn(mm_per_s):
        paper = Paper(mm_per_s=mm_per_s)
        return {strip.duration_s for strip in strips_on_paper(layout_named(name), paper)}

    assert drawn(25.0) == durations
    assert drawn(50.0) == {duration / 2 for duration in durations}


@pytest.mark.parametrize("name", LAYOUTS)
def test_baselines_lie_on_one_phase_of_the_grid(name):
    strips = strips_on_paper(layout_named(name), Paper())
    for strip in strips:
        assert (strip.baseline_mm - strips[0].baseline_mm) % 5 == pytest.approx(0)
    assert {strip.row for strip in strips} == set(range(layout_named(name).num_rows))


def test_columns_read_as_on_a_machine():
    first_row = [s for s in strips_on_paper(layout_named("3x4+1"), Paper()) if s.row == 0]
    assert [(s.lead, s.start_s) for s in first_row] == [
        ("I", 0.0),
        ("aVR", 2.5),
        ("V1", 5.0),
        ("V4", 7.5),
    ]


def test_an_unknown_layout_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no layout '4x3': choose one of 3x4\+1, 3x4, 6x2, 12x1"):
        layout_named("4x3")
