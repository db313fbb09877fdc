"""What the tests of scan artefacts share: a small page with lines on it, and one way to scan it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.rendering.scan.view import NUM_DRAWS, View


@pytest.fixture(scope="session")
def view():
    """A page 150 mm high and 200 mm wide."""
    return View(height=96, width=128, channels=1, px_per_mm=0.64)


@pytest.fixture(scope="session")
def page(view):
    """Pale paper with dark lines, (h, w, 1) uint8."""
    picture = np.full((view.height, view.width, 1), 235, np.uint8)
    picture[8::16] = 60
    picture[:, 5::21] = 140
    return picture


@pytest.fixture(scope="session")
def colour_page(page):
    """The page with a red cast."""
    return np.concatenate([page, page // 2 + 100, page // 2 + 80], axis=2)


@pytest.fixture(scope="session")
def draws():
    """Rows of uniform numbers, as an artefact gets them, for a seed."""

    def of_seed(seed):
        return jnp.asarray(np.random.default_rng(seed).random(NUM_DRAWS - 2, np.float32))

    return of_seed


@pytest.fixture(scope="session")
def apply():
    """The picture (h, w, c) after one artefact, as float64 before rounding."""

    @functools.cache
    def compiled(artefact, view, more):
        return jax.jit(functools.partial(artefact, view=view, **dict(more)))

    def change(artefact, picture, strength, draws, view, **more):
        planes = jnp.moveaxis(jnp.asarray(picture, jnp.float32), 2, 0)
        run = compiled(artefact, view, tuple(more.items()))
        return np.float64(np.moveaxis(np.asarray(run(planes, jnp.float32(strength), draws)), 0, 2))

    return change


@pytest.fixture(scope="session")
def scan(view):
    """The scans (b, h, w, c) of some pages with the settings, and their companions."""

    def run(settings, pages, *, keys=None, companions=(), **more):
        pages = np.asarray(pages)
        keys = jax.random.split(jax.random.key(0), len(pages)) if keys is None else keys
        scanner = make_scanner(
            settings,
            height=view.height,
            width=view.width,
            channels=pages.shape[3],
            px_per_mm=view.px_per_mm,
            **more,
        )
        pictures, moved = scanner(jnp.asarray(pages), keys, companions)
        return np.asarray(pictures), tuple(np.asarray(planes) for planes in moved)

    return run
