"""What a layout prints whatever the heart does: baselines, calibration pulses, names of leads."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.sheet import Sheet

_RATE_HZ = 100.0
_SECONDS = 10.0


def flat_ink(sheet: Sheet) -> Float32[np.ndarray, "h w"]:
    """The share of each pixel of the sheet that ink covers, for ten seconds without voltage."""
    deck = make_deck([sheet], rate_hz=_RATE_HZ)
    silence = jnp.zeros((1, len(STANDARD_LEADS), round(_SECONDS * _RATE_HZ)))
    traces = draw(deck, silence, jnp.zeros(1, jnp.int32)).ink[0, :, :, 0]
    return np.maximum(np.asarray(traces, np.float32), np.asarray(deck.print[0], np.float32) / 255)
