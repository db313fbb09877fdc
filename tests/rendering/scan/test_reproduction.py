import numpy as np
import pytest

from ecgmae_jax.rendering.scan import reproduction
from ecgmae_jax.rendering.scan.view import View


@pytest.fixture(scope="module")
def colour(view):
    return View(view.height, view.width, 3, view.px_per_mm)


def test_a_grey_copy_is_the_luminance(apply, colour, draws, colour_page):
    luminance = colour_page @ np.array([0.299, 0.587, 0.114])
    grey = apply(reproduction.colour_loss, colour_page, 1.0, draws(0), colour)
    np.testing.assert_allclose(grey, np.repeat(luminance[:, :, None], 3, axis=2), atol=1e-3)
    half = apply(reproduction.colour_loss, colour_page, 0.5, draws(0), colour)
    np.testing.assert_allclose(half, (grey + colour_page) / 2, atol=1e-3)


def test_clipping_turns_the_lightest_share_white(apply, view, draws):
    ramp = np.broadcast_to(np.linspace(0, 255, view.width)[None, :, None], (view.height, 128, 1))
    seen = apply(reproduction.white_clipping, ramp, 0.25, draws(0), view)
    np.testing.assert_allclose(seen, np.minimum(ramp / 0.75, 255), atol=1e-3)


def test_a_copier_has_the_stated_slope(apply, view, draws, page):
    copied = apply(reproduction.photocopy, page, 3.0, draws(1), view)
    between = (copied > 1) & (copied < 254)
    tones, copies = np.unique(page[between]), np.unique(np.round(copied[between], 3))
    assert copied[page == page.max()].min() == pytest.approx(255)
    tone = page / page.mean()
    pivot = 0.6 + 0.2 * float(draws(1)[0])
    expected = 255 * np.clip(pivot + 3 * (tone - pivot), 0, 1)
    np.testing.assert_allclose(copied, expected, atol=0.01)
    assert len(tones) == len(copies)


def test_binarised_pictures_have_two_levels(apply, view, colour, draws, page, colour_page):
    seen = apply(reproduction.binarise, page, 0.7, draws(0), view)
    np.testing.assert_array_equal(seen, np.where(page < 0.7 * page.mean(), 0, 255))
    in_colour = apply(reproduction.binarise, colour_page, 0.7, draws(0), colour)
    assert set(np.unique(in_colour)) == {0.0, 255.0}
    assert (in_colour == in_colour[:, :, :1]).all()


def test_a_fax_is_two_tone_and_as_coarse_as_its_lines(apply, draws):
    fine = View(height=480, width=640, channels=1, px_per_mm=16.0)
    slope = np.add.outer(np.arange(480) * 1.7, np.arange(640)) % 97 < 48
    sheet = np.where(slope, 40.0, 230.0)[:, :, None]
    seen = apply(reproduction.fax, sheet, 4.0, draws(0), fine)[:, :, 0]
    assert set(np.unique(seen)) == {0.0, 255.0}
    # 4 lines a mm at 16 pixels a mm: rows come in fours, and 8.04 points a mm along a row.
    lines = seen.reshape(120, 4, 640)
    assert (lines == lines[:, :1]).all()
    changes = (np.diff(seen, axis=1) != 0).any(axis=0).sum()
    assert changes <= 640 / 16 * 8.04 + 1


def test_a_fax_finer_than_the_picture_only_loses_tones(apply, view, draws, page):
    seen = apply(reproduction.fax, page, 7.7, draws(0), view)
    np.testing.assert_array_equal(seen, np.where(page < 0.8 * page.mean(), 0, 255))
