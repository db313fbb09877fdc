import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ecgmae_jax.rendering.scan import warp
from ecgmae_jax.rendering.scan.sampling import sample


@pytest.fixture(scope="module")
def placed(view, draws):
    run = jax.jit(lambda strengths, own: warp.place(strengths, own, view))

    def of(*, seed=0, **strengths):
        strengths = {name: jnp.float32(strengths.get(name, 0)) for name in warp.GEOMETRIC}
        own = {name: draws(seed + i) for i, name in enumerate(warp.GEOMETRIC)}
        return run(strengths, own), own

    return of


def own_grid(view):
    return np.mgrid[: view.height, : view.width].astype(np.float64)


def test_looking_up_is_bilinear(page):
    rng = np.random.default_rng(0)
    y, x = rng.uniform(-5, 105, page.shape[:2]), rng.uniform(-5, 135, page.shape[:2])
    ours = jax.jit(sample)(jnp.float32(page[None, :, :, 0]), jnp.float32(y), jnp.float32(x))
    scipys = ndimage.map_coordinates(np.float64(page[:, :, 0]), [y, x], order=1, mode="nearest")
    np.testing.assert_allclose(np.asarray(ours)[0], scipys, atol=0.01)


def test_an_odd_number_of_pixels_is_looked_up_too():
    picture = np.random.default_rng(0).random((3, 7, 9), np.float32)
    y, x = jnp.mgrid[:7, :9].astype(jnp.float32)
    np.testing.assert_array_equal(np.asarray(sample(jnp.asarray(picture), y, x)), picture)


def test_straight_on_every_pixel_looks_at_itself(placed, view):
    at, _ = placed()
    y, x = own_grid(view)
    np.testing.assert_array_equal(at.y, y)
    np.testing.assert_array_equal(at.x, x)
    np.testing.assert_array_equal(at.shade, np.ones_like(at.shade))


@pytest.mark.parametrize("seed", range(3))
def test_rotation_is_pillows(placed, page, view, seed):
    at, own = placed(seed=seed, rotation=7)
    turned = -7 if own["rotation"][0] >= 0.5 else 7
    pillows = Image.fromarray(page[:, :, 0]).rotate(
        turned, resample=Image.Resampling.BILINEAR, fillcolor=255
    )
    ours = warp.picture_placed(
        jnp.float32(page[None, :, :, 0]), at, jnp.full((1, 1, 1), 255.0), view
    )
    inside = ndimage.binary_erosion(np.asarray(pillows.rotate(0)) < 250, iterations=1)
    inside &= (at.y > 1) & (at.y < view.height - 2) & (at.x > 1) & (at.x < view.width - 2)
    assert inside.mean() > 0.7
    assert np.abs(np.asarray(ours)[0] - np.asarray(pillows, float))[inside].max() < 1.5


def test_perspective_is_that_of_a_camera(placed, view):
    at, own = placed(perspective=12)
    tilt, axis = np.deg2rad(12), 2 * np.pi * float(own["perspective"][0])
    along = np.array([np.cos(axis), np.sin(axis), 0])
    cross = np.cross(along, np.eye(3)).T
    turn = np.eye(3) + np.sin(tilt) * cross + (1 - np.cos(tilt)) * cross @ cross
    # Forwards: a point of the page, tilted, projected onto the plane through the page's centre.
    page = np.stack([at.x - 63.5, at.y - 47.5, np.zeros_like(at.x)], -1).astype(np.float64)
    space = page @ turn.T
    distance = 400 * view.px_per_mm
    seen = space[..., :2] * distance / (distance + space[..., 2:])
    y, x = own_grid(view)
    np.testing.assert_allclose(seen[..., 0], x - 63.5, atol=1e-3)
    np.testing.assert_allclose(seen[..., 1], y - 47.5, atol=1e-3)


def test_tilted_pages_stay_nearly_isotropic(placed):
    at, _ = placed(perspective=14, rotation=3)
    # Lengths of a step to the right and of one down at the centre of the frame.
    across = np.hypot(at.x[48, 64] - at.x[48, 63], at.y[48, 64] - at.y[48, 63])
    down = np.hypot(at.x[48, 64] - at.x[47, 64], at.y[48, 64] - at.y[47, 64])
    assert abs(np.log(across / down)) < -np.log(np.cos(np.deg2rad(14))) + 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_crop_stays_on_the_page_and_margin_shows_all_of_it(placed, view, seed):
    at, _ = placed(seed=seed, crop=30)
    assert at.y.min() >= -0.5 and at.y.max() <= view.height - 0.5
    assert at.x.min() >= -0.5 and at.x.max() <= view.width - 0.5
    assert (at.y[-1, 0] - at.y[0, 0]) / (view.height - 1) == pytest.approx(1 - 30 / 150, abs=1e-5)
    assert (at.x[0, -1] - at.x[0, 0]) / (view.width - 1) == pytest.approx(1 - 30 / 150, abs=1e-5)
    at, _ = placed(seed=seed, margin=30)
    assert at.y.min() <= 0 and at.y.max() >= view.height - 1
    assert at.x.min() <= 0 and at.x.max() >= view.width - 1
    assert (at.y[-1, 0] - at.y[0, 0]) / (view.height - 1) == pytest.approx(1 + 30 / 150, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_curl_bends_lines_by_as_many_millimetres(placed, view, seed):
    at, _ = placed(seed=seed, curl=6)
    y, x = own_grid(view)
    np.testing.assert_array_equal(at.x, x)
    bend_mm = np.abs(at.y - y) / view.px_per_mm
    assert 4 < bend_mm.max() <= 6.001
    assert np.abs(at.shade - 1).max() <= 0.121


def test_the_desk_lies_beyond_the_page(placed, page, view):
    at, _ = placed(margin=60)
    seen = warp.picture_placed(
        jnp.float32(page[None, :, :, 0]), at, jnp.full((1, 1, 1), 10.0), view
    )
    beyond = (at.y < -1) | (at.y > view.height) | (at.x < -1) | (at.x > view.width)
    assert beyond.any()
    assert (np.asarray(seen)[0][beyond] == 10).all()
