"""The drawer: a batch of recordings in, a batch of pictures out, one compiled function a sheet."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.coverage import Strokes, coverage, strokes
from ecgmae_jax.rendering.grid import grid_picture
from ecgmae_jax.rendering.lettering import lettering
from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.rendering.traces import plan_traces

Drawer = Callable[[Float[Array, "b l t"]], UInt8[Array, "b h w c"]]


@functools.lru_cache(maxsize=16)
def make_drawer(sheet: Sheet, *, num_samples: int, rate_hz: float) -> Drawer:
    """The jitted function that draws recordings of that length and rate on the sheet.

    It takes the twelve leads in standard order in mV, NaN where nothing is recorded: a missing
    lead leaves its row empty, its name is printed all the same. A picture does not depend on the
    others in its batch.

    Raises:
        InputError: if there are no samples, the rate is not positive, or (when drawing) the
            signal is not twelve leads of `num_samples` samples.
    """
    if num_samples < 1 or not 0 < rate_hz < float("inf"):
        raise InputError(
            f"cannot draw {num_samples} samples at {rate_hz} Hz: both must be positive numbers"
        )
    plan = plan_traces(sheet, num_samples=num_samples, rate_hz=rate_hz)
    ink = np.float32(in_channels(sheet.paper.ink_colour, channels=sheet.channels))
    paper = grid_picture(sheet)
    printed = lettering(sheet)
    # A pixel is `base - depth * coverage`: both parts are the same for every recording.
    base = jnp.asarray(paper + (ink - paper) * printed[:, :, None])
    depth = jnp.asarray((paper - ink) * (1 - printed[:, :, None]))

    def picture(inked: Strokes) -> UInt8[Array, "h w c"]:
        covered = coverage(inked, per_pixel=plan.per_pixel, height=sheet.height)
        return (base - depth * covered[:, :, None] + 0.5).astype(jnp.uint8)

    def draw(signal_mv, each):
        return each(picture)(each(functools.partial(strokes, plan=plan))(signal_mv))

    @jax.jit
    def draw_batch(signal_mv: Float[Array, "b l t"]) -> UInt8[Array, "b h w c"]:
        expected = (len(STANDARD_LEADS), num_samples)
        if signal_mv.shape[1:] != expected:
            raise InputError(
                f"cannot draw a signal of shape {signal_mv.shape}: this drawer was made for "
                f"(batch, {expected[0]} leads, {expected[1]} samples)"
            )
        # On a CPU one picture after the other stays in the cache, and two loops keep XLA from
        # computing the strokes again for each of their uses.
        return jax.lax.platform_dependent(
            signal_mv.astype(jnp.float32),
            cpu=functools.partial(draw, each=_one_by_one),
            default=functools.partial(draw, each=jax.vmap),
        )

    return draw_batch


def _one_by_one(function: Callable) -> Callable:
    return functools.partial(jax.lax.map, function)
