import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.cohorts.masks import Mask, masked
from ecgmae_jax.cohorts.stored_pictures import picture_form, stored_picture
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet

STEPS = dict.fromkeys(("crop", "deskew", "scale", "flatten", "ink"), True)
GEOMETRY = {"layout": "3x4+1", "mm_per_s": 25.0, "mm_per_mv": 10.0}
SIZE = {"height": 192, "width": 256, "channels": 1}


@pytest.fixture(scope="module")
def page():
    signal = np.random.default_rng(0).normal(0, 0.05, (1, 12, 1000)).astype(np.float32)
    sheet = make_sheet(height=850, width=1100, channels=3)
    return Image.fromarray(np.asarray(make_drawer(sheet, rate_hz=100.0)(signal))[0])


def form_of(normalise, **changed):
    return picture_form(
        SIZE, **{"normalise": normalise, "geometry": GEOMETRY, "masks": ()} | changed
    )


def test_ink_is_put_on_the_sheet_of_the_layout(page):
    form = form_of(STEPS)
    stored = stored_picture(page, form, record_id="a")
    assert stored.framed.pixels.shape == (192, 256, 1)
    assert stored.px_per_mm == pytest.approx(form.sheet.px_per_mm)
    assert np.median(stored.framed.pixels) == 255
    in_colour = picture_form(SIZE | {"channels": 3}, normalise=STEPS, geometry=GEOMETRY, masks=())
    pixels = stored_picture(page, in_colour, record_id="a").framed.pixels
    np.testing.assert_array_equal(pixels, np.repeat(stored.framed.pixels, 3, axis=-1))


def test_without_ink_the_page_stays_as_it_is(page):
    stored = stored_picture(page, form_of(STEPS | {"ink": False}), record_id="a")
    grey = page.convert("L").resize((248, 192), Image.Resampling.BOX)
    np.testing.assert_array_equal(stored.framed.pixels[:, 4:252, 0], np.asarray(grey))
    assert stored.framed.as_dict() == {"scale": pytest.approx(192 / 850), "cut": 0.0}


def test_a_page_without_ink_is_refused():
    with pytest.raises(RejectedRecord, match=r"nothing on it is darker .* than 2\.0 mm") as fault:
        stored_picture(Image.new("RGB", (550, 425), "white"), form_of(STEPS), record_id="a")
    assert fault.value.code == "no-ink"


def test_masks_lie_on_the_page_before_it_is_made_flat(page):
    steps, masks = STEPS | {"ink": False, "deskew": False}, (Mask(0.0, 0.0, 1.0, 0.15),)
    before = stored_picture(_curled(page), form_of(steps, masks=masks), record_id="a").scan
    flat = stored_picture(_curled(page), form_of(steps), record_id="a").scan.picture
    after = masked(flat, masks, px_per_mm=1.0, record_id="a")
    assert before.account.is_flattened
    # A mask that was straight on the page as it came is as curled on the flat one as the page was.
    assert _unevenness(before.picture) > 20
    assert _unevenness(after) < 12


def _unevenness(picture):
    """By how many pixels the rows differ in which the coloured grid begins."""
    pixels = np.asarray(picture).astype(int)
    coloured = pixels.max(axis=-1) - pixels.min(axis=-1) > 45
    return np.ptp(np.percentile(coloured[:, 60:-60].argmax(axis=0), (5, 95)))


def test_where_the_grid_tells_no_scale_its_larger_lines_and_the_layout_do(page):
    coarse = page.resize((550, 425), Image.Resampling.BOX)
    stored = stored_picture(coarse, form_of(STEPS), record_id="a")
    account = stored.scan.account
    assert account.px_per_mm is None
    half = make_sheet(height=425, width=550).px_per_mm
    assert account.flat_px_per_mm == pytest.approx(half, rel=0.005)
    assert not stored.framed.scale_by_layout
    stated = form_of(STEPS | {"ink": False}, geometry={"px_per_mm": 1.1 * half})
    assert stored_picture(coarse, stated, record_id="a").scan.px_per_mm == pytest.approx(
        half, rel=0.005
    )
    unknown = form_of(STEPS | {"ink": False}, geometry={})
    assert stored_picture(coarse, unknown, record_id="a").scan.px_per_mm is None


def _curled(page):
    pixels = np.asarray(page)
    down = np.rint(12 * np.sin(2 * np.pi * np.arange(page.width) / page.width)).astype(int)
    rows = np.clip(np.arange(page.height)[:, None] + down, 0, page.height - 1)
    return Image.fromarray(pixels[rows, np.arange(page.width)])


@pytest.mark.parametrize(
    ("normalise", "geometry", "found"),
    [
        (STEPS, {"layout": "3x4+1", "mm_per_s": 25.0}, r"geometry\.mm_per_mv not stated"),
        (STEPS, {"px_per_mm": 4.0}, r"geometry\.layout and .* and geometry\.mm_per_mv not stated"),
        (STEPS | {"px_per_mm": 2.0}, GEOMETRY, r"normalise\.px_per_mm stated"),
    ],
)
def test_ink_needs_a_sheet_and_has_its_scale(normalise, geometry, found):
    with pytest.raises(InputError, match=rf"normalise\.ink is true and {found}: the ink is put"):
        form_of(normalise, geometry=geometry)
