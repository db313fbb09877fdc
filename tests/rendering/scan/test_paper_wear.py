import numpy as np
import pytest

from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.scan import paper_wear
from ecgmae_jax.rendering.scan.view import View


@pytest.fixture(scope="module")
def blank(view):
    return np.full((view.height, view.width, 1), 200.0)


def test_texture_has_the_stated_deviation_and_no_cast(apply, view, draws):
    # Enough paper for the coarse clouds of the grain to average out.
    large = View(height=768, width=1024, channels=1, px_per_mm=3.6)
    sheet = np.full((768, 1024, 1), 200.0)
    changed = apply(paper_wear.texture, sheet, 0.03, draws(0), large) / 200
    assert changed.std() == pytest.approx(0.03, rel=0.1)
    assert changed.mean() == pytest.approx(1, abs=0.003)


def test_yellowing_absorbs_blue_most_and_grey_by_luminance(apply, view, draws, blank):
    colour = View(view.height, view.width, 3, view.px_per_mm)
    aged = apply(paper_wear.yellowing, np.repeat(blank, 3, axis=2), 0.4, draws(1), colour) / 200
    red, green, blue = np.moveaxis(aged, 2, 0)
    assert (red > green).all() and (green > blue).all()
    assert blue.min() >= 0.6 - 1e-5 and blue.max() <= 1 - 0.7 * 0.4 + 1e-5
    grey = apply(paper_wear.yellowing, blank, 0.4, draws(1), view)[:, :, 0] / 200
    np.testing.assert_allclose(grey, 0.299 * red + 0.587 * green + 0.114 * blue, atol=1e-5)


def test_fading_takes_the_stated_contrast(apply, view, draws, page):
    faded = apply(paper_wear.fading, page, 0.6, draws(2), view)
    paper = page.max()
    kept = (paper - faded)[page < paper] / (paper - page.astype(float))[page < paper]
    assert kept.min() >= 1 - 0.6 - 1e-4
    assert kept.max() <= 1 - 0.7 * 0.6 + 1e-4
    np.testing.assert_allclose(faded[page == paper], paper, atol=1e-4)


def test_creases_are_straight_and_as_strong_as_stated(apply, view, draws, blank):
    for seed in range(3):
        change = apply(paper_wear.crease, blank, 0.2, draws(seed), view)[:, :, 0] / 200 - 1
        assert 0.05 < np.abs(change).max() <= 3 * 0.2 * 1.1 + 1e-6
        assert (np.abs(change) < 0.1).mean() > 0.7


def test_a_fold_changes_light_along_one_line_only(apply, view, draws, blank):
    # One fold (draw 0), along the rows and not askew, in the middle of the page.
    own = np.full(24, 0.5, np.float32)
    own[0], own[3] = 0.0, 0.25
    change = apply(paper_wear.crease, blank, 0.2, own, view)[:, :, 0] / 200 - 1
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :1], change.shape), atol=1e-5)
    away = view.y_mm - 75.0
    flank = away / 8 / (1 + (away / 8) ** 2)
    ridge = np.maximum(0, 1 - np.abs(away) / 0.5)
    np.testing.assert_allclose(change[:, 0], 0.2 * (0.8 * ridge + 0.6 * flank), atol=1e-4)


def test_a_stain_is_a_patch_of_limited_absorption(apply, view, draws, blank):
    absorbed = 1 - apply(paper_wear.stain, blank, 0.5, draws(4), view) / 200
    brown = in_channels((45, 70, 100), channels=1)[0] / 100
    assert absorbed.max() <= 0.5 * brown + 1e-5
    assert absorbed.max() > 0.25 * brown
    assert absorbed.min() >= -1e-6
    assert 0.005 < (absorbed > 1e-3).mean() < 0.6


@pytest.mark.parametrize("side", ["left", "top"])
def test_holes_have_diameter_and_spacing_of_a_punch(apply, draws, side):
    sharp = View(height=900, width=1200, channels=1, px_per_mm=6.0)
    own = np.full(24, 0.5, np.float32)
    own[2], own[3], own[4] = 0.1 if side == "left" else 0.9, 0.1, 0.0
    sheet = np.full((900, 1200, 1), 200.0)
    holes = 200 - apply(paper_wear.punch_holes, sheet, 6.0, own, sharp)[:, :, 0]
    share = holes / (200 - 25.5)
    assert share.max() == pytest.approx(1)
    assert share.sum() / 36 == pytest.approx(2 * np.pi * 3**2, rel=0.01)
    along = share.sum(axis=1 if side == "left" else 0)
    first, second = along[: len(along) // 2], along[len(along) // 2 :]
    centres = [(half * np.arange(len(half))).sum() / half.sum() for half in (first, second)]
    assert (centres[1] + len(first) - centres[0]) / 6 == pytest.approx(80, abs=0.05)


def test_lengths_are_millimetres_at_any_scale(apply, draws):
    sizes = (View(90, 120, 1, 0.6), View(180, 240, 1, 1.2))
    own = np.array(draws(5))
    own[:4] = 0.5, 0.5, 0.9, 0.5  # large enough for pixels of 1.7 mm to resolve the rim
    small, large = (
        apply(paper_wear.stain, np.full((v.height, v.width, 1), 200.0), 0.5, own, v) for v in sizes
    )
    averaged = large.reshape(90, 2, 120, 2, 1).mean(axis=(1, 3))
    assert np.abs(averaged - small).mean() < 0.5
    assert np.corrcoef(averaged.ravel(), small.ravel())[0, 1] > 0.98
