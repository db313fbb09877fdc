import dataclasses

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.cohorts.stored_pictures import picture_form, stored_picture
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet

STEPS = {"crop": True, "deskew": True, "scale": True, "ink": True}
SIZE = {"height": 192, "width": 256, "channels": 1}


@pytest.fixture(scope="module")
def page():
    signal = np.random.default_rng(0).normal(0, 0.05, (1, 12, 1000)).astype(np.float32)
    sheet = make_sheet(height=850, width=1100, channels=3)
    return Image.fromarray(np.asarray(make_drawer(sheet, rate_hz=100.0)(signal))[0])


def form_of(normalise, **changed):
    settings = {"normalise": normalise, "geometry": {"layout": "3x4+1"}, "masks": ()} | changed
    return picture_form(SIZE, **settings)


def test_ink_is_put_on_the_sheet_of_the_layout(page):
    form = form_of(STEPS)
    stored = stored_picture(page, form, record_id="a")
    assert stored.framed.pixels.shape == (192, 256, 1)
    assert stored.px_per_mm == pytest.approx(form.sheet.px_per_mm)
    assert np.median(stored.framed.pixels) == 255
    in_colour = dataclasses.replace(form, channels=3)
    pixels = stored_picture(page, in_colour, record_id="a").framed.pixels
    np.testing.assert_array_equal(pixels, np.repeat(stored.framed.pixels, 3, axis=-1))


def test_without_ink_the_page_stays_as_it_is(page):
    stored = stored_picture(page, form_of(STEPS | {"ink": False}), record_id="a")
    grey = page.convert("L").resize((248, 192), Image.Resampling.BOX)
    np.testing.assert_array_equal(stored.framed.pixels[:, 4:252, 0], np.asarray(grey))
    assert stored.framed.moved == (0, 0)


@pytest.mark.parametrize(
    "changed",
    [{"geometry": {}}, {"normalise": STEPS | {"px_per_mm": 2.0}}],
    ids=["layout", "scale"],
)
def test_ink_needs_a_layout_and_has_a_scale(changed):
    with pytest.raises(InputError, match=r"state geometry\.layout, and leave normalise\.px_per_mm"):
        form_of(changed.pop("normalise", STEPS), **changed)
