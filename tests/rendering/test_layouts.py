import collections

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.layouts import LAYOUTS, layout_named

FEWER_LEADS = {
    "6x1": "I II III aVR aVL aVF",
    "6x1 cabrera": "aVL I -aVR II aVF III",
    "6x1 chest": "V1 V2 V3 V4 V5 V6",
    "3x2": "I II III aVR aVL aVF",
    "3x2 simultaneous": "I II III aVR aVL aVF",
    "3x2 chest": "V1 V2 V3 V4 V5 V6",
    "3x2 chest simultaneous": "V1 V2 V3 V4 V5 V6",
    "3x1": "I II III",
    "I in 3 rows": "I I I",
}
TWELVE_LEADS = [name for name in LAYOUTS if name not in FEWER_LEADS]
IN_A_GRID = [name for name in LAYOUTS if name != "I in 3 rows"]


@pytest.mark.parametrize("name", FEWER_LEADS)
def test_pages_of_fewer_leads_hold_these_in_this_order(name):
    columns = layout_named(name).columns
    assert [lead for column in columns for lead in column] == FEWER_LEADS[name].split()
    assert layout_named(name).rhythm == ()


@pytest.mark.parametrize("name", TWELVE_LEADS)
def test_every_lead_is_in_a_layout_once(name):
    columns = layout_named(name).columns
    counts = collections.Counter(lead.removeprefix("-") for column in columns for lead in column)
    assert counts == collections.Counter(STANDARD_LEADS)
    assert len({len(column) for column in columns}) == 1


@pytest.mark.parametrize("name", IN_A_GRID)
def test_a_name_says_rows_columns_and_rhythm_strips(name):
    rows, columns = name.split()[0].split("x")
    columns, _, rhythm = columns.partition("+")
    layout = layout_named(name)
    assert len(layout.columns) == int(columns)
    assert len(layout.rhythm) == int(rhythm or 0)
    assert layout.num_rows == int(rows) + int(rhythm or 0)
    assert (layout.windows == "simultaneous") == ("simultaneous" in name)


def test_leads_read_down_the_columns_and_the_chest_leads_come_last():
    assert layout_named("3x4+3").columns[1] == ("aVR", "aVL", "aVF")
    assert layout_named("3x4+2").rhythm == ("II", "V5")
    assert layout_named("3x4+3").rhythm == ("II", "V1", "V5")
    assert layout_named("4x3").columns[1] == ("aVL", "aVF", "V1", "V2")
    assert layout_named("2x6").columns[0] == ("I", "II")
    assert layout_named("6x2+1").columns[1] == ("V1", "V2", "V3", "V4", "V5", "V6")


def test_cabrera_s_order_has_avr_upside_down_between_i_and_ii():
    for name in ("3x4+1 cabrera", "6x2 cabrera", "12x1 cabrera"):
        leads = [lead for column in layout_named(name).columns for lead in column]
        assert leads[:6] == ["aVL", "I", "-aVR", "II", "aVF", "III"]
        assert leads[6:] == ["V1", "V2", "V3", "V4", "V5", "V6"]


def test_an_unknown_layout_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no layout '5x5': choose one of 3x4\+1, 3x4, 6x2, 12x1"):
        layout_named("5x5")
