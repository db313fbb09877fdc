import numpy as np
import pytest

from ecgmae_jax.scans.lattice import loudness, read_coordinate
from ecgmae_jax.scans.layers import ink_filled, printed_layers


def layers_of(picture):
    return [ink_filled(layer) for layer in printed_layers(np.asarray(picture))]


def places(shape):
    """Down and across, -1 to 1, of the middle of every pixel."""
    rows, columns = ((np.arange(n) + 0.5) / n * 2 - 1 for n in shape)
    return np.meshgrid(rows, columns, indexing="ij")


@pytest.mark.parametrize(
    "bends",
    [
        {},
        {"turn_deg": 4},
        {"perspective": 0.12},
        {"curl_mm": 3},
        {"perspective": -0.1, "curl_mm": 2, "turn_deg": -2},
    ],
    ids=str,
)
def test_every_point_is_found_on_the_grid(bend, sheet_px_per_mm, bends):
    picture, truth = bend(**bends)
    y, x = places(truth.shape[1:])
    # Beyond the sheet there is no grid.
    half = np.array(picture.size) / sheet_px_per_mm / 2
    on_sheet = (np.abs(truth) < half[:, None, None]).all(axis=0)
    for axis, true_mm in ((1, truth[0]), (0, truth[1])):
        read = read_coordinate(layers_of(picture), px_per_mm=sheet_px_per_mm, axis=axis)
        off = (read.at(y, x) - true_mm)[on_sheet]
        # From which line of the grid it counts is not told.
        off -= np.median(off)
        assert np.sqrt((off**2).mean()) < 0.2
        assert read.coherence > 0.9


def test_a_scale_a_fifth_off_will_do(bend, sheet_px_per_mm):
    picture, truth = bend(curl_mm=2)
    y, x = places(truth.shape[1:])
    for factor in (0.82, 1.18):
        read = read_coordinate(layers_of(picture), px_per_mm=factor * sheet_px_per_mm, axis=1)
        off = read.at(y, x) - truth[0]
        assert np.std(off) < 0.15


def test_slopes_are_derivatives(bend, sheet_px_per_mm):
    picture, _ = bend(perspective=0.1, curl_mm=2)
    read = read_coordinate(layers_of(picture), px_per_mm=sheet_px_per_mm, axis=0)
    y, x = np.random.default_rng(0).uniform(-0.9, 0.9, (2, 50))
    down, across = read.slopes(y, x)
    step = 1e-5
    np.testing.assert_allclose(down, (read.at(y + step, x) - read.at(y, x)) / step, rtol=1e-3)
    np.testing.assert_allclose(
        across, (read.at(y, x + step) - read.at(y, x)) / step, rtol=1e-3, atol=1e-2
    )


def test_where_there_are_no_lines_nothing_is_coherent(sheet_without_grid, sheet_px_per_mm):
    layers = layers_of(sheet_without_grid)
    noise = np.random.default_rng(1).normal(size=(400, 600)).astype(np.float32)
    white = np.zeros((400, 600), np.float32)
    for some in (layers, [noise], [white]):
        assert read_coordinate(some, px_per_mm=sheet_px_per_mm, axis=0).coherence < 0.6


def test_lines_are_loudest_at_their_own_scale(sheet, sheet_px_per_mm):
    layer = layers_of(sheet)[0]
    factors = (0.6, 0.8, 1.0, 1.25, 1.6)
    for axis in (0, 1):
        heard = [loudness(layer, px_per_mm=f * sheet_px_per_mm, axis=axis) for f in factors]
        assert np.argmax(heard) == factors.index(1.0)
        assert max(heard) > 1.3 * max(heard[0], heard[-1])
