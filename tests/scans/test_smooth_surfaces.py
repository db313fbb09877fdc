import numpy as np
import pytest
from numpy.polynomial import chebyshev

from ecgmae_jax.scans.smooth_surfaces import Equations, bending_of, changed, plane, polynomials


@pytest.fixture
def places():
    return polynomials(20, length=20), polynomials(30, length=30)


@pytest.fixture
def curved():
    surface = plane(down=3.0, across=-2.0)
    surface[0, 2], surface[2, 1], surface[1, 3] = 0.7, -0.4, 0.2
    return surface


def test_polynomials_are_those_in_the_middles_of_pixels():
    np.testing.assert_allclose(polynomials(4, length=5)[:, 1], [-0.8, -0.4, 0, 0.4], atol=1e-12)
    np.testing.assert_allclose(polynomials(4, length=5)[:, 2], [0.28, -0.68, -1, -0.68])


def test_a_plane_has_the_slopes_asked_for():
    y, x = np.random.default_rng(0).uniform(-1, 1, (2, 10))
    seen = chebyshev.chebval2d(y, x, plane(down=3.0, across=-2.0))
    np.testing.assert_allclose(seen, 3 * y - 2 * x)


def test_least_squares_are_those_of_the_whole_system(places, curved):
    rows, columns = places
    rng = np.random.default_rng(0)
    values = rows @ curved @ columns.T + rng.normal(size=(20, 30))
    weights = rng.uniform(0.2, 1, (20, 30))
    equations = [Equations(rows, columns, values, weights)]
    found = changed(plane(), equations, bending=bending_of(*places), stiffness=0.0)
    used = [(i, j) for i in range(8) for j in range(8) if 0 < i + j <= 7]
    design = np.stack([np.outer(rows[:, i], columns[:, j]).ravel() for i, j in used], axis=-1)
    root = np.sqrt(weights.ravel())
    expected, *_ = np.linalg.lstsq(design * root[:, None], values.ravel() * root)
    np.testing.assert_allclose([found[term] for term in used], expected, atol=1e-4)


def test_differences_of_neighbours_tell_the_surface(places, curved):
    rows, columns = places
    values = rows @ curved @ columns.T
    equations = [
        Equations(np.diff(rows, axis=0), columns, np.diff(values, axis=0), np.ones((19, 30))),
        Equations(rows, np.diff(columns, axis=0), np.diff(values, axis=1), np.ones((20, 29))),
    ]
    assert max(np.abs(e.off(curved)).max() for e in equations) < 1e-9
    found = changed(plane(), equations, bending=bending_of(*places), stiffness=0.0)
    np.testing.assert_allclose(found, curved, atol=1e-2)


def test_bending_is_the_mean_of_squared_second_differences(places, curved):
    values = places[0] @ curved @ places[1].T
    seconds = [np.diff(values, 2, 0), np.diff(np.diff(values, 1, 0), 1, 1), np.diff(values, 2, 1)]
    expected = sum(float((second**2).mean()) for second in seconds)
    terms = np.array([curved[i, j] for i in range(8) for j in range(8) if 0 < i + j <= 7])
    form = bending_of(*places)
    # In units of its own.
    assert terms @ form @ terms == pytest.approx(625 * expected)
    flat = np.array(
        [plane(down=1.0, across=2.0)[i, j] for i in range(8) for j in range(8) if 0 < i + j <= 7]
    )
    assert flat @ form @ flat == pytest.approx(0, abs=1e-9)


def test_a_stiff_surface_stays_a_plane(places, curved):
    rows, columns = places
    values = rows @ curved @ columns.T
    equations = [Equations(rows, columns, values, np.ones((20, 30)))]
    stiff = changed(plane(), equations, bending=bending_of(*places), stiffness=1e6)
    bent = [abs(stiff[i, j]) for i in range(8) for j in range(8) if i + j > 1 and (i, j) != (1, 1)]
    assert max(bent) < 1e-3
    y, x = np.meshgrid(rows[:, 1], columns[:, 1], indexing="ij")
    design = np.stack([y.ravel(), x.ravel()], axis=-1)
    expected, *_ = np.linalg.lstsq(design, values.ravel())
    np.testing.assert_allclose((stiff[1, 0], stiff[0, 1]), expected, atol=0.02)


def test_a_bent_surface_is_pulled_back_by_its_stiffness(places, curved):
    rows, columns = places
    unknown = [Equations(rows, columns, np.zeros((20, 30)), np.zeros((20, 30)))]
    pulled = curved + changed(curved, unknown, bending=bending_of(*places), stiffness=1e3)
    assert abs(pulled[0, 2]) < 0.1 * abs(curved[0, 2])
    np.testing.assert_allclose((pulled[1, 0], pulled[0, 1]), (3.0, -2.0), atol=0.5)
