import json

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.errors import InputError
from ecgmae_jax.scans.grid_scale import grid_scale
from ecgmae_jax.scans.normalise import Steps, normalise

ALL = Steps(crop=True, deskew=True, scale=True, flatten=True)
NONE = Steps(crop=False, deskew=False, scale=False, flatten=False)


@pytest.fixture(scope="module")
def photographed(sheet, enlarge) -> Image.Image:
    """The sheet at 0.8 of its size, turned by 5 degrees, on a dark desk."""
    desk = (40, 30, 25)
    turned = enlarge(sheet, 0.8).rotate(5, Image.Resampling.BICUBIC, expand=True, fillcolor=desk)
    picture = Image.new("RGB", (turned.width + 150, turned.height + 100), desk)
    picture.paste(turned, (80, 40))
    return picture


def test_all_steps_bring_back_the_sheet(photographed, sheet, sheet_px_per_mm):
    done = normalise(photographed, steps=ALL, target_px_per_mm=sheet_px_per_mm)
    assert done.account.angle_deg == pytest.approx(5, abs=0.2)
    assert done.account.px_per_mm == pytest.approx(0.8 * sheet_px_per_mm, rel=0.01)
    assert done.account.resampled == pytest.approx(1.25, rel=0.01)
    assert done.at_target
    assert done.px_per_mm == pytest.approx(sheet_px_per_mm)
    np.testing.assert_allclose(done.picture.size, sheet.size, rtol=0.03)


def test_measuring_alone_leaves_the_picture(sheet, sheet_px_per_mm):
    steps = Steps(crop=False, deskew=False, scale=True, flatten=False)
    done = normalise(sheet, steps=steps, target_px_per_mm=None)
    assert done.picture is sheet
    assert not done.at_target
    assert done.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.005)


def test_no_step_does_nothing(photographed):
    done = normalise(photographed, steps=NONE, target_px_per_mm=None)
    assert done.picture is photographed
    assert done.px_per_mm is None
    account = done.account.as_dict()
    assert json.loads(json.dumps(account)) == account
    reasons = {account[f"{step}_reason"] for step in ("crop", "deskew", "scale", "flatten")}
    assert reasons == {"not asked for"}


def test_what_is_not_found_is_left_and_said(sheet_without_grid):
    done = normalise(sheet_without_grid, steps=ALL, target_px_per_mm=2.0)
    assert done.picture.size == sheet_without_grid.size
    assert (done.at_target, done.px_per_mm, done.account.resampled) == (False, None, 1.0)
    words = done.account.in_words()
    assert words == (
        "no border found; +0.00 degrees; no scale: no lines of 1 mm and of 5 mm; not made flat: "
        "nothing tells which of its lines are 5 mm apart"
    )


def test_a_scan_is_not_blown_up(sheet, sheet_px_per_mm):
    done = normalise(sheet, steps=ALL, target_px_per_mm=2.5 * sheet_px_per_mm)
    assert not done.at_target
    assert done.picture.size == sheet.size
    assert done.account.scale_reason == "would have to be enlarged 2.5 times"
    assert done.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.005)


def test_a_bent_page_is_made_flat_at_the_scale_wanted(bend, sheet_px_per_mm):
    picture, _ = bend(perspective=0.1, curl_mm=2)
    done = normalise(picture, steps=ALL, target_px_per_mm=3.0)
    account = done.account
    assert account.is_flattened
    assert account.bend_mm > 5
    assert done.px_per_mm == pytest.approx(3.0)
    assert account.resampled == pytest.approx(3.0 / account.flat_px_per_mm)
    assert grid_scale(done.picture).px_per_mm == pytest.approx(3.0, rel=0.01)
    assert "; made flat by up to " in account.in_words()
    assert json.loads(json.dumps(account.as_dict())) == account.as_dict()


def test_what_covers_the_page_sees_it_before_it_is_flat(bend):
    picture, _ = bend(curl_mm=4)
    seen = []

    def cover(page, px_per_mm):
        seen.append((page.size, px_per_mm))
        return Image.new(page.mode, page.size, "white")

    done = normalise(picture, steps=ALL, target_px_per_mm=None, cover=cover)
    ((size, px_per_mm),) = seen
    assert size == picture.size
    assert px_per_mm == done.account.px_per_mm
    assert not done.account.is_flattened
    assert set(done.picture.getcolors()) == {(size[0] * size[1], (255, 255, 255))}


def test_an_expected_scale_serves_where_the_grid_tells_none(sheet, sheet_px_per_mm):
    coarse = sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.BOX)
    alone = normalise(coarse, steps=ALL, target_px_per_mm=None)
    assert alone.px_per_mm is None
    expected = 0.5 * 1.2 * sheet_px_per_mm
    done = normalise(coarse, steps=ALL, target_px_per_mm=None, expected_px_per_mm=expected)
    assert done.px_per_mm == pytest.approx(0.5 * sheet_px_per_mm, rel=0.005)
    assert done.account.px_per_mm is None
    assert done.account.in_words().endswith("it is flat; 1.97 px/mm by its lines of 5 mm")


def test_flattening_needs_the_scale(sheet):
    steps = Steps(crop=False, deskew=False, scale=False, flatten=True)
    with pytest.raises(InputError, match=r"the step `flatten` follows .* take both, or neither"):
        normalise(sheet, steps=steps, target_px_per_mm=None)


@pytest.mark.parametrize(("steps", "target"), [(NONE, 2.0), (ALL, 0.0), (ALL, -1.0)])
def test_a_target_that_cannot_be_is_refused(sheet, steps, target):
    with pytest.raises(InputError, match=r"a target of -?\d\.0 px/mm: expected a positive number"):
        normalise(sheet, steps=steps, target_px_per_mm=target)
