import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS
from ecgmae_jax.rendering.scan.chain import scanned
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.rendering.scan.settings import ScanSettings, Strength
from ecgmae_jax.rendering.scan.view import draws_by_artefact


@pytest.fixture(scope="module")
def sheets(page):
    return np.stack([np.roll(page, 3 * i, axis=0) for i in range(4)])


@pytest.fixture(scope="module")
def everything():
    """Every artefact in every second picture."""
    photo, plain = preset("photo"), preset("scan")
    chosen = {name: getattr(photo, name) or getattr(plain, name) for name in ARTEFACTS}
    chosen = {name: dataclasses.replace(s, probability=0.5) for name, s in chosen.items()}
    return ScanSettings(**chosen, desk=(0.2, 0.4))


def test_off_changes_no_bit(scan, sheets, colour_page):
    for settings in (
        ScanSettings.off(),
        ScanSettings(
            **{name: Strength(float(a.low), float(a.high), 0.0) for name, a in ARTEFACTS.items()}
        ),
    ):
        np.testing.assert_array_equal(scan(settings, sheets)[0], sheets)
        np.testing.assert_array_equal(scan(settings, colour_page[None])[0][0], colour_page)


def test_a_strength_of_zero_changes_no_bit(scan, sheets):
    companion = np.float32(sheets / 255)
    zero = {name: Strength(0.0, 0.0) for name, a in ARTEFACTS.items() if a.low == 0}
    pictures, (moved,) = scan(ScanSettings(**zero), sheets, companions=(companion,))
    np.testing.assert_array_equal(pictures, sheets)
    np.testing.assert_array_equal(moved, companion)


def test_a_scan_depends_on_nothing_but_picture_and_key(scan, sheets, everything):
    keys = jax.random.split(jax.random.key(3), 4)
    ink = np.float32(sheets < 100)
    together, (ink_together,) = scan(everything, sheets, keys=keys, companions=(ink,))
    for i in range(4):
        own = slice(i, i + 1)
        alone, (ink_alone,) = scan(everything, sheets[own], keys=keys[own], companions=(ink[own],))
        np.testing.assert_array_equal(alone[0], together[i])
        np.testing.assert_array_equal(ink_alone[0], ink_together[i])
    assert len({picture.tobytes() for picture in together}) == 4
    again, _ = scan(everything, sheets[::-1], keys=keys[::-1], companions=(ink[::-1],))
    np.testing.assert_array_equal(again[::-1], together)


def test_artefacts_have_randomness_of_their_own():
    draws = draws_by_artefact(jax.random.split(jax.random.key(0), 3))
    assert set(draws) == {*ARTEFACTS, "desk"}
    values = np.concatenate([np.asarray(d).ravel() for d in draws.values()])
    assert len(np.unique(values)) > 0.999 * len(values)
    # An artefact's number may not change, or every stored seed would mean another scan.
    key = jax.random.fold_in(jax.random.split(jax.random.key(0), 3)[1], 3933391666)
    expected = jax.random.uniform(key, (26,))
    np.testing.assert_array_equal(draws["jpeg"][1], expected)


def test_switching_one_artefact_off_leaves_the_others(scan, sheets):
    holes = ScanSettings(punch_holes=Strength(5.0, 7.0), pen=Strength(0.5, 0.9, 0.5))
    both = scan(holes, sheets)[0]
    without_pen = scan(dataclasses.replace(holes, pen=None), sheets)[0]
    differs = (both != without_pen).any(axis=(1, 2, 3))
    assert 0 < differs.sum() < 4
    # Where the pen has written the holes are in their old places all the same.
    with_pen_alone = scan(dataclasses.replace(holes, punch_holes=None), sheets)[0]
    untouched = with_pen_alone == sheets
    np.testing.assert_array_equal(both[untouched], without_pen[untouched])


def test_companions_receive_the_geometry_and_nothing_else(scan, sheets):
    settings = ScanSettings(rotation=Strength(4.0, 4.0), exposure=Strength(1.0, 1.0))
    same = np.float32(sheets)
    pictures, (edge, zero) = scan(settings, sheets, companions=(same, same + 1))
    inside = zero > 0
    assert 0.8 < inside.mean() < 1
    np.testing.assert_allclose(zero[inside], edge[inside] + 1, atol=1e-3)
    # A pixel from the page's edge inwards, where the desk is not mixed in.
    inner = ndimage.binary_erosion(inside, np.ones((1, 5, 5, 1)))
    exposed = edge * 2 ** (-1 / 2.2)
    np.testing.assert_allclose(pictures[inner], exposed[inner], atol=0.51)
    assert edge.min() > 0


def test_side_by_side_scans_are_those_made_one_by_one(scan, sheets, view):
    """Accelerators compute both sides of every choice, for the whole batch at once."""
    some = Strength(2.0, 3.0, 0.5)
    settings = ScanSettings(rotation=some, handwriting=some, sensor_noise=some)
    keys = jax.random.split(jax.random.key(1), 4)
    ink = jnp.float32(sheets < 100)

    @jax.jit
    @jax.vmap
    def side_by_side(image, draws, ink):
        return scanned(image, draws, (ink,), settings=settings, fills=("zero",), view=view)

    pictures, (moved,) = side_by_side(jnp.asarray(sheets), draws_by_artefact(keys), ink)
    expected, (expected_ink,) = scan(
        settings, sheets, keys=keys, companions=(ink,), fills=("zero",)
    )
    difference = np.abs(np.asarray(pictures, int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    np.testing.assert_allclose(moved, expected_ink, atol=1e-4)


def test_scanning_works_inside_a_jitted_step(scan, sheets, view):
    settings = ScanSettings(rotation=Strength(2.0, 2.0), jpeg=Strength(50.0, 50.0))
    size = {"height": view.height, "width": view.width, "channels": 1}
    scanner = make_scanner(settings, **size, px_per_mm=view.px_per_mm)
    keys = jax.random.split(jax.random.key(0), 4)
    inside = jax.jit(lambda images, keys: scanner(images, keys)[0].astype(np.int32))(sheets, keys)
    outside = scan(settings, sheets)[0].astype(np.int32)
    assert np.abs(np.asarray(inside) - outside).max() <= 1


def test_wrong_sizes_are_refused(view, sheets, scan):
    size = {"height": 96, "width": 128, "px_per_mm": 0.64}
    with pytest.raises(InputError, match=r"channels=2: a scan has 1 \(grey\) or 3"):
        make_scanner(ScanSettings(), channels=2, **size)
    with pytest.raises(InputError, match=r"cannot scan 96 x 128 pixels at 0.0 px/mm"):
        make_scanner(ScanSettings(), channels=1, **{**size, "px_per_mm": 0.0})
    with pytest.raises(InputError, match=r"fills=\('grey',\): expected 'edge' or 'zero'"):
        make_scanner(ScanSettings(), channels=1, fills=("grey",), **size)
    with pytest.raises(InputError, match=r"shape \(4, 48, 128, 1\).*\(batch, 96, 128, 1\)"):
        make_scanner(ScanSettings(), channels=1, **size)(
            sheets[:, :48], jax.random.split(jax.random.key(0), 4)
        )
    with pytest.raises(InputError, match=r"3 companions but 2 fills"):
        scan(ScanSettings(), sheets, companions=(np.float32(sheets),) * 3)
