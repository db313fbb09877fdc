import json

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.ecg_plot_style import ecg_plot_sheet
from ecgmae_jax.rendering.layouts import LAYOUTS
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.sampler import LayoutSampler
from ecgmae_jax.rendering.stored_sheet import sheet_from_dict


def _stored(sheet):
    return json.loads(json.dumps(sheet.as_dict()))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("page", ["letter", "a4 portrait"])
def test_sheets_come_back_from_their_description(layout, page):
    sheet = make_sheet(layout, height=192, width=256, mm_per_mv=5.0, page=page, style="green")
    assert sheet_from_dict(_stored(sheet)) == sheet


@pytest.mark.parametrize("layout", ["3x4+1", "12x1 cabrera", "6x1 chest"])
def test_a_gain_of_the_chest_leads_comes_back(layout):
    sheet = make_sheet(layout, height=192, width=256, chest_gain=0.5)
    again = sheet_from_dict(_stored(sheet))
    assert again == sheet
    assert again.as_dict() == _stored(sheet)
    assert again != sheet_from_dict(_stored(make_sheet(layout, height=192, width=256)))


def test_random_sheets_come_back_from_their_description():
    for sheet in (*LayoutSampler(5).sheets(40), ecg_plot_sheet()):
        again = sheet_from_dict(_stored(sheet))
        assert again == sheet
        assert again.as_dict() == sheet.as_dict()


def test_other_descriptions_are_refused():
    with pytest.raises(InputError, match=r"does not describe a sheet: it has no .*layout"):
        sheet_from_dict({"signal": {}, "height": 3})
    with pytest.raises(InputError, match=r"no layout '5x5'"):
        sheet_from_dict({**make_sheet().as_dict(), "layout": "5x5"})
    with pytest.raises(InputError, match=r"does not describe a sheet: .*'inch'"):
        sheet_from_dict({**make_sheet().as_dict(), "field": {"inch": 3}})
