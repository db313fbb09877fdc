"""The drawer: a batch of recordings in, a batch of pictures out, in one compiled function."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int, UInt8

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.coverage import coverage, ink_outside, strokes
from ecgmae_jax.rendering.grid import grid_picture
from ecgmae_jax.rendering.lettering import lettering
from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.rendering.traces import TraceGeometry, plan_traces, trace_geometry

_Table = np.ndarray | Array


class Deck(NamedTuple):
    """What the drawer needs of one or several sheets of the same size (axis d).

    `paper` is the grid in grey levels or RGB, `ink` the colour of trace and print, and `print` the
    share of the paper that is covered by it, in 255ths.
    """

    geometry: TraceGeometry
    paper: Float32[_Table, "d h w c"]
    print: UInt8[_Table, "d h w"]
    ink: Float32[_Table, "d c"]


class Drawn(NamedTuple):
    """Pictures, and what only who drew them knows.

    Attributes:
        image: the sheets.
        ink: the share of each pixel that the traces cover, 0 to 1.
        ink_outside: the share of a picture's ink in the band of another row or off the picture.
    """

    image: UInt8[Array, "b h w c"]
    ink: Float[Array, "b h w 1"]
    ink_outside: Float[Array, "b"]


def make_deck(sheets: Sequence[Sheet], *, rate_hz: float) -> Deck:
    """The deck of some sheets, for recordings at that rate.

    Raises:
        InputError: no sheet, sheets of several sizes, or a rate that is not positive.
    """
    sizes = {(sheet.height, sheet.width, sheet.channels) for sheet in sheets}
    if len(sizes) != 1:
        raise InputError(f"a deck needs sheets of one size, there are {sorted(sizes)}")
    if not 0 < rate_hz < float("inf"):
        raise InputError(f"cannot draw samples at {rate_hz} Hz: the rate must be a positive number")
    channels = sheets[0].channels
    return Deck(
        geometry=trace_geometry(sheets, rate_hz=rate_hz),
        paper=np.stack([np.float32(grid_picture(sheet)) for sheet in sheets]),
        print=np.stack([np.rint(255 * lettering(sheet)).astype(np.uint8) for sheet in sheets]),
        ink=np.float32([in_channels(s.paper.ink_colour, channels=channels) for s in sheets]),
    )


def draw(deck: Deck, signal_mv: Float[Array, "b l t"], which: Int[Array, "b"]) -> Drawn:
    """Each recording on the sheet of the deck that `which` gives it; to be called inside a jit.

    A picture depends on its own signal and sheet alone, not on the others in its batch.

    Args:
        deck: from `make_deck`, for the rate of the signal.
        signal_mv: the twelve leads in standard order, NaN where nothing is recorded: a missing
            lead leaves its row empty, its name is printed all the same.
        which: index of the sheet.

    Raises:
        InputError: another number of leads.
    """
    if signal_mv.shape[1] != len(STANDARD_LEADS):
        raise InputError(
            f"cannot draw a signal of shape {signal_mv.shape}: expected (batch, "
            f"{len(STANDARD_LEADS)} leads, samples)"
        )

    def sheet_at(index):
        geometry, *pictures = jax.tree.map(lambda table: jnp.asarray(table)[index], deck)
        paper, printed, ink = (picture.astype(jnp.float32) for picture in pictures)
        ink = ink[None, None]
        base = paper + (ink - paper) * (printed[:, :, None] / 255)
        return geometry, plan_traces(geometry), base, ink

    # A single sheet is worked out once for the whole batch.
    only = sheet_at(0) if len(deck.paper) == 1 else None

    def inked(signal, index):
        geometry, plan, _, _ = only or sheet_at(index)
        lines = strokes(signal, plan, geometry)
        return lines, ink_outside(lines, plan)

    def picture(lines, outside, index):
        geometry, _, base, ink = only or sheet_at(index)
        covered = coverage(lines, per_pixel=geometry.per_pixel, height=base.shape[0])[:, :, None]
        image = (base + (ink - base) * covered + 0.5).astype(jnp.uint8)
        return Drawn(image, covered, outside)

    def each(mapped, signal, index):
        return mapped(picture)(*mapped(inked)(signal, index), index)

    # On a CPU one picture after the other stays in the cache, and two loops keep XLA from
    # computing the strokes again for each of their uses.
    return jax.lax.platform_dependent(
        signal_mv.astype(jnp.float32),
        which,
        cpu=functools.partial(each, _one_by_one),
        default=functools.partial(each, jax.vmap),
    )


@functools.lru_cache(maxsize=16)
def make_drawer(
    sheet: Sheet, *, rate_hz: float
) -> Callable[[Float[Array, "b l t"]], UInt8[Array, "b h w c"]]:
    """The jitted function that draws recordings of that rate on one sheet."""
    return functools.partial(_draw_on_the_one, jax.device_put(make_deck([sheet], rate_hz=rate_hz)))


@jax.jit
def _draw_on_the_one(deck: Deck, signal_mv: Float[Array, "b l t"]) -> UInt8[Array, "b h w c"]:
    # The deck is an argument: as a constant, XLA would work its large pictures out while compiling.
    return draw(deck, signal_mv, jnp.zeros(len(signal_mv), jnp.int32)).image


def _one_by_one(function: Callable) -> Callable:
    return lambda *arrays: jax.lax.map(lambda row: function(*row), arrays)
