import json

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.errors import InputError
from ecgmae_jax.scans.normalise import Steps, normalise

ALL = Steps(crop=True, deskew=True, scale=True)
NONE = Steps(crop=False, deskew=False, scale=False)


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
    steps = Steps(crop=False, deskew=False, scale=True)
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
    reasons = {account[f"{step}_reason"] for step in ("crop", "deskew", "scale")}
    assert reasons == {"not asked for"}


def test_what_is_not_found_is_left_and_said(sheet_without_grid):
    done = normalise(sheet_without_grid, steps=ALL, target_px_per_mm=2.0)
    assert done.picture.size == sheet_without_grid.size
    assert (done.at_target, done.px_per_mm, done.account.resampled) == (False, None, 1.0)
    words = done.account.in_words()
    assert words == "no border found; +0.00 degrees; no scale: no lines of 1 mm and of 5 mm"


def test_a_scan_is_not_blown_up(sheet, sheet_px_per_mm):
    done = normalise(sheet, steps=ALL, target_px_per_mm=2.5 * sheet_px_per_mm)
    assert not done.at_target
    assert done.picture.size == sheet.size
    assert done.account.scale_reason == "would have to be enlarged 2.5 times"
    assert done.px_per_mm == pytest.approx(sheet_px_per_mm, rel=0.005)


@pytest.mark.parametrize(("steps", "target"), [(NONE, 2.0), (ALL, 0.0), (ALL, -1.0)])
def test_a_target_that_cannot_be_is_refused(sheet, steps, target):
    with pytest.raises(InputError, match=r"a target of -?\d\.0 px/mm: expected a positive number"):
        normalise(sheet, steps=steps, target_px_per_mm=target)
