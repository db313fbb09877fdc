"""What the autoencoder sees and predicts, drawn in the step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import inputs
from ecgmae_jax.programs.views import drawn_views, stored_views
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet

SHEET = make_sheet(height=64, width=96)
STATISTICS = {"mean": (0.9,), "std": (0.1,)}
STORAGE = {"num_samples": 5000, "rate_hz": 500.0, "uv_per_lsb": 1.0, "missing": -32768}


def dataset_of(picture) -> Dataset:
    source = object.__new__(ExampleSource)
    return Dataset("toy", "signal", "train", "1.0.0", source, {}, picture, "0" * 16)


def views_of(**changes):
    settings = {
        "sheets": [SHEET],
        "scan": "off",
        "augment": {},
        "statistics": STATISTICS,
        "target": "pixels",
    }
    return drawn_views(dataset_of({"signal": STORAGE}), **(settings | changes))


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    signal = rng.integers(-800, 800, (4, 12, 5000)).astype(np.int16)
    signal[1, 3] = -32768
    return {"signal": signal, "key": np.arange(4, dtype=np.uint32)}


def test_the_encoder_sees_what_the_drawer_draws(batch):
    views = views_of()
    seen, target = jax.jit(views.view)(batch)
    millivolts = np.where(batch["signal"] == -32768, np.nan, batch["signal"] / 1000)
    drawn = make_drawer(SHEET, rate_hz=500.0)(np.float32(millivolts))
    expected = (np.asarray(drawn) / 255 - 0.9) / 0.1
    # One grey level is 0.04 deviations: a pixel may round the other way.
    assert np.abs(seen - expected).max() < 0.05
    assert np.abs(seen - expected).mean() < 1e-4
    np.testing.assert_array_equal(seen, target)
    assert views.specification["picture"] == SHEET.as_dict()


def test_a_picture_follows_from_its_own_signal_and_key(batch):
    view = jax.jit(views_of(augment={"random_shift": {"max_px": 8}}).view)
    whole = view(batch).seen
    order = np.array([2, 0])
    part = view({name: values[order] for name, values in batch.items()}).seen
    np.testing.assert_array_equal(part, whole[order])
    other_keys = view(batch | {"key": batch["key"] + 100}).seen
    assert (other_keys != whole).any(axis=(1, 2, 3)).sum() >= 3


def test_the_ink_is_shifted_with_the_picture(batch):
    blank = batch | {"signal": np.full_like(batch["signal"], -32768)}
    unshifted = jax.jit(views_of(target="ink").view)
    shifted = jax.jit(views_of(target="ink", augment={"random_shift": {"max_px": 8}}).view)
    assert unshifted(blank).target.max() == 0
    still, moved = unshifted(batch), shifted(batch)
    assert 0 < float(still.target.max()) <= 10.0 + 1e-4

    def best_shift(a, b):
        spectrum = jnp.fft.fft2(a[..., 0]) * jnp.conj(jnp.fft.fft2(b[..., 0]))
        return np.unravel_index(np.argmax(np.fft.ifft2(spectrum).real), a.shape[:2])

    for row in range(4):
        moves = {best_shift(m[row], s[row]) for m, s in zip(moved, still, strict=True)}
        assert len(moves) == 1


def test_a_scan_is_seen_and_the_clean_sheet_predicted(batch):
    clean = jax.jit(views_of().view)(batch)
    scanned = jax.jit(views_of(scan="scan", target="clean").view)(batch)
    assert (scanned.seen != clean.seen).mean() > 0.1
    # The prediction keeps the levels of the clean sheet, wherever the scanner put them.
    assert scanned.target.max() <= clean.seen.max() + 1e-4
    assert scanned.target.min() >= clean.seen.min() - 1e-4
    with pytest.raises(InputError, match="no scan preset 'fax'"):
        views_of(scan="fax")


def test_sheets_are_dealt_at_random(batch):
    other = make_sheet("12x1", height=64, width=96)
    both = jax.jit(views_of(sheets=[SHEET, other]).view)
    drawn = np.concatenate([both(batch | {"key": batch["key"] + 4 * i}).seen for i in range(4)])
    first, second = (jax.jit(views_of(sheets=[s]).view)(batch).seen for s in (SHEET, other))
    as_first = np.abs(drawn - np.tile(first, (4, 1, 1, 1))).max(axis=(1, 2, 3)) < 0.05
    as_second = np.abs(drawn - np.tile(second, (4, 1, 1, 1))).max(axis=(1, 2, 3)) < 0.05
    assert (as_first ^ as_second).all()
    assert 2 <= as_first.sum() <= 14


def test_signals_are_evaluated_on_the_sheet_of_the_model(batch):
    specification = views_of().specification
    inputs.check_input(dataset_of({"signal": STORAGE}), specification)
    images = inputs.make_sheet_drawer(STORAGE, specification)(batch["signal"])
    seen = jax.jit(views_of().view)(batch).seen
    assert np.abs(inputs.standardise(images, specification) - seen).max() < 0.05
    older = specification | {"picture": specification["picture"] | {"pen_mm": 0.1}}
    with pytest.raises(InputError, match="not one that this version draws"):
        inputs.check_input(dataset_of({"signal": STORAGE}), older)


def test_impossible_wishes_are_refused():
    pictures = dataset_of(SHEET.as_dict())
    with pytest.raises(InputError, match=r"target is 'ink', and stored pictures"):
        stored_views(pictures, augment={}, statistics=STATISTICS, target="ink")
    with pytest.raises(InputError, match=r"holds pictures, and config.data.draw is 'device'"):
        drawn_views(
            pictures,
            sheets=[SHEET],
            scan="off",
            augment={},
            statistics=STATISTICS,
            target="ink",
        )
    with pytest.raises(InputError, match=r"target is 'grid'; choose one of pixels"):
        views_of(target="grid")
    with pytest.raises(InputError, match=r"names \['horizontal_flip'\], which work on stored"):
        views_of(augment={"horizontal_flip": {"probability": 0.5}})
