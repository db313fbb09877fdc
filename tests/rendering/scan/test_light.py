import numpy as np
import pytest

from ecgmae_jax.rendering.scan import light
from ecgmae_jax.rendering.scan.view import View


@pytest.fixture(scope="module")
def blank(view):
    return np.full((view.height, view.width, 1), 200.0)


@pytest.mark.parametrize("seed", range(3))
def test_uneven_light_is_a_plane_between_two_corners(apply, view, draws, blank, seed):
    lit = apply(light.uneven_light, blank, 0.3, draws(seed), view)[:, :, 0] / 200
    assert lit.max() == pytest.approx(1, abs=0.005)
    assert lit.min() == pytest.approx(0.7, abs=0.005)
    np.testing.assert_allclose(np.diff(lit, 2, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.diff(lit, 2, axis=1), 0, atol=1e-5)


def test_vignetting_darkens_corners_by_the_stated_share(apply, view, draws, blank):
    lit = apply(light.vignetting, blank, 0.4, draws(0), view)[:, :, 0] / 200
    y, x = view.y_unit[:, None], view.x_unit[None]
    np.testing.assert_allclose(lit, 1 - 0.4 * (y**2 + x**2) / 2, atol=1e-5)


def test_shadows_take_at_most_the_stated_light_and_have_soft_edges(apply, view, draws, blank):
    seen = [apply(light.shadow, blank, 0.5, draws(s), view)[:, :, 0] / 200 for s in range(6)]
    for lit in seen:
        assert lit.min() >= 0.5 - 1e-5 and lit.max() <= 1 + 1e-5
        # No step over a pixel (1.6 mm) that looks like an object's outline.
        assert max(np.abs(np.diff(lit, axis=a)).max() for a in (0, 1)) < 0.06
    assert max(lit.max() - lit.min() for lit in seen) > 0.45


def test_a_stop_halves_the_linear_light(apply, view, draws, blank):
    seen = apply(light.exposure, blank, 1.0, draws(0), view)
    np.testing.assert_allclose((seen / 200) ** 2.2, 0.5, rtol=1e-4)


def test_a_cast_gains_red_what_it_loses_in_blue(apply, view, draws, blank):
    colour = View(view.height, view.width, 3, view.px_per_mm)
    seen = apply(light.colour_cast, np.repeat(blank, 3, axis=2), 0.2, draws(0), colour) / 200
    red, green, blue = seen[0, 0]
    assert abs(red - blue) == pytest.approx(0.2, abs=1e-5)
    assert red + blue == pytest.approx(2, abs=1e-5)
    assert abs(green - 1) <= 0.05
    grey = apply(light.colour_cast, blank, 0.2, draws(0), view)[0, 0, 0] / 200
    assert grey == pytest.approx(0.299 * red + 0.587 * green + 0.114 * blue, abs=1e-5)
