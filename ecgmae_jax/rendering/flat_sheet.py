"""What a layout prints whatever the heart does: baselines, calibration pulses, names of leads."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.sheet import Sheet

_RATE_HZ = 100.0
_SECONDS = 10.0


# Every scan of a cohort is laid on the same sheet.
@functools.lru_cache(maxsize=4)
def flat_ink(sheet: Sheet) -> Float32[np.ndarray, "h w"]:
    """The share of each pixel of the sheet that ink covers, for ten seconds without voltage."""
    deck = make_deck([sheet], rate_hz=_RATE_HZ)

    @jax.jit
    def traces(signal: Float32[Array, "1 l t"]) -> Float[Array, "h w"]:
        return draw(deck, signal, jnp.zeros(1, jnp.int32)).ink[0, :, :, 0]

    silence = np.zeros((1, len(STANDARD_LEADS), round(_SECONDS * _RATE_HZ)), np.float32)
    printed = np.asarray(deck.print[0], np.float32) / 255
    ink = np.maximum(np.asarray(traces(silence), np.float32), printed)
    ink.setflags(write=False)
    return ink
