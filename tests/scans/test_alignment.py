import numpy as np
import pytest

from ecgmae_jax.scans.alignment import likeness, offset_of, window


@pytest.fixture
def template():
    return (np.random.default_rng(0).random((40, 60)) > 0.9).astype(np.float32)


@pytest.mark.parametrize(("top", "left"), [(5, 12), (9, 3), (0, 20), (-4, 5), (14, -6)])
def test_the_place_of_a_template_is_found_in_noise(template, top, left):
    page = np.random.default_rng(1).random((50, 80)).astype(np.float32) * 0.5
    page += window(template, top=-top, left=-left, height=50, width=80)
    assert offset_of(page, template, reach_px=16) == (top, left)


def test_it_is_the_largest_of_all_correlations(template):
    page = np.random.default_rng(2).random((45, 58)).astype(np.float32)
    centred = template - template.mean()
    sums = {
        (top, left): float((window(page, top=top, left=left, height=40, width=60) * centred).sum())
        for top in range(2 - 6, 2 + 7)
        for left in range(-1 - 6, -1 + 7)
    }
    assert offset_of(page, template, reach_px=6) == max(sums, key=sums.get)


def test_nothing_beyond_reach_is_found(template):
    page = window(template, top=-30, left=-10, height=90, width=80)
    assert offset_of(page, template, reach_px=25) == (30, 10)
    top, left = offset_of(page, template, reach_px=2)
    assert abs(top - 25) <= 2
    assert abs(left - 10) <= 2


def test_a_window_is_empty_where_the_page_ends():
    page = np.ones((4, 5), np.float32)
    seen = window(page, top=-1, left=3, height=6, width=4)
    expected = np.zeros((6, 4))
    expected[1:5, :2] = 1
    np.testing.assert_array_equal(seen, expected)


def test_likeness_is_the_correlation_and_0_for_an_empty_page(template):
    page = np.random.default_rng(3).random((40, 60)).astype(np.float32)
    expected = np.corrcoef(page.ravel(), template.ravel())[0, 1]
    assert likeness(page, template) == pytest.approx(expected, abs=1e-6)
    assert likeness(template, template) == pytest.approx(1)
    assert likeness(np.zeros((40, 60), np.float32), template) == 0
