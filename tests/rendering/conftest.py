"""What the tests of this room share: the traces of a sheet alone, before paper and print."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.rendering.drawing import draw, make_deck


@pytest.fixture(scope="session")
def trace_coverage():
    """The share of each pixel that the traces cover, in float."""

    @functools.cache
    def compiled(sheet, rate_hz):
        deck = make_deck([sheet], rate_hz=rate_hz)
        return jax.jit(lambda signal: draw(deck, signal[None], jnp.zeros(1, jnp.int32)).ink)

    def cover(sheet, signal_mv, *, rate_hz):
        return np.asarray(compiled(sheet, rate_hz)(np.float32(signal_mv)))[0, :, :, 0]

    return cover


@pytest.fixture(scope="session")
def beats():
    """Twelve leads, 10 s at 500 Hz, of a smooth rhythm at 72 a minute with waves as in an ECG."""
    seconds = np.arange(5000) / 500
    phase = (seconds * 1.2) % 1
    waves = ((0.2, 0.15, 0.025), (0.36, -0.12, 0.008), (0.385, 1.2, 0.011), (0.41, -0.25, 0.009))
    waves += ((0.65, 0.3, 0.04),)
    beat = sum(
        height * np.exp(-(((phase - centre) / width) ** 2)) for centre, height, width in waves
    )
    scale = np.linspace(-0.8, 1.4, 12)[:, None]
    return np.float32(scale * beat)
