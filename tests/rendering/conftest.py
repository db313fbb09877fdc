"""What the tests of this room share: the traces of a sheet alone, before paper and print."""

import functools

import jax
import numpy as np
import pytest

from ecgmae_jax.rendering.coverage import coverage, strokes
from ecgmae_jax.rendering.traces import plan_traces


@pytest.fixture(scope="session")
def trace_coverage():
    """The share of each pixel that the traces cover, in float."""

    @functools.cache
    def compiled(sheet, num_samples, rate_hz):
        plan = plan_traces(sheet, num_samples=num_samples, rate_hz=rate_hz)
        of_strokes = functools.partial(coverage, per_pixel=plan.per_pixel, height=sheet.height)
        return jax.jit(lambda signal: of_strokes(strokes(signal, plan)))

    def draw(sheet, signal_mv, *, rate_hz):
        return np.asarray(compiled(sheet, signal_mv.shape[1], rate_hz)(np.float32(signal_mv)))

    return draw


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
