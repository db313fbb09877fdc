import numpy as np
import pytest
from scipy import ndimage

from ecgmae_jax.scans.alignment import likeness, offset_of, window


@pytest.fixture
def template():
    return (np.random.default_rng(0).random((40, 60)) > 0.9).astype(np.float32)


def placed(template, top, left, height, width):
    """An empty page with the template's upper left corner at a whole row and column."""
    page = np.zeros((height + 80, width + 120), np.float32)
    page[40 + top : 40 + top + len(template), 60 + left : 60 + left + template.shape[1]] = template
    return page[40 : 40 + height, 60 : 60 + width]


@pytest.mark.parametrize(("top", "left"), [(5, 12), (9, 3), (0, 20), (-4, 5), (14, -6)])
def test_the_place_of_a_template_is_found_in_noise(template, top, left):
    page = np.random.default_rng(1).random((50, 80)).astype(np.float32) * 0.5
    page += placed(template, top, left, 50, 80)
    np.testing.assert_allclose(offset_of(page, template, reach_px=16), (top, left), atol=0.15)


@pytest.mark.parametrize("off", [0.0, 0.25, -0.4])
def test_it_is_found_between_whole_pixels(template, off):
    smooth = ndimage.gaussian_filter(template, 1.0)
    page = ndimage.shift(placed(smooth, 6, 9, 60, 80), (off, -off), order=3)
    found = offset_of(page.astype(np.float32), smooth, reach_px=10)
    np.testing.assert_allclose(found, (6 + off, 9 - off), atol=0.08)


def test_it_is_the_largest_of_all_correlations(template):
    page = np.random.default_rng(2).random((45, 58)).astype(np.float32)
    centred = template - template.mean()
    sums = {
        (top, left): float((placed(page, -top, -left, 40, 60) * centred).sum())
        for top in range(2 - 6, 2 + 7)
        for left in range(-1 - 6, -1 + 7)
    }
    found = np.array(offset_of(page, template, reach_px=6))
    assert np.abs(found - max(sums, key=sums.get)).max() <= 0.5


def test_nothing_beyond_reach_is_found(template):
    page = placed(template, 30, 10, 90, 80)
    np.testing.assert_allclose(offset_of(page, template, reach_px=25), (30, 10), atol=0.15)
    top, left = offset_of(page, template, reach_px=2)
    assert abs(top - 25) <= 2.5
    assert abs(left - 10) <= 2.5


def test_a_window_is_empty_where_the_page_ends():
    page = np.ones((4, 5), np.float32)
    seen = window(page, centre=(2.0, 5.0), scale=1.0, shape=(6, 4))
    expected = np.zeros((6, 4))
    expected[1:5, :2] = 1
    np.testing.assert_array_equal(seen, expected)


def test_a_smaller_window_shows_means():
    page = np.random.default_rng(4).random((12, 18)).astype(np.float32)
    seen = window(page, centre=(6.0, 9.0), scale=1 / 3, shape=(4, 6))
    expected = page.reshape(4, 3, 6, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    # Half a pixel of the page further on, each mean takes half of the next row.
    later = window(page, centre=(6.5, 9.0), scale=1 / 3, shape=(4, 6))
    np.testing.assert_allclose(later.sum(), expected.sum(), rtol=0.1)
    assert np.abs(later - expected).max() > 0.01


def test_likeness_is_the_correlation_and_0_for_an_empty_page(template):
    page = np.random.default_rng(3).random((40, 60)).astype(np.float32)
    expected = np.corrcoef(page.ravel(), template.ravel())[0, 1]
    assert likeness(page, template) == pytest.approx(expected, abs=1e-6)
    assert likeness(template, template) == pytest.approx(1)
    assert likeness(np.zeros((40, 60), np.float32), template) == 0
