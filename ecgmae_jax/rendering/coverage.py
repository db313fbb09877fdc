"""How much of each pixel the pen covers.

Ink is conserved: a trace drawn small covers what the same trace drawn large and averaged down
covers, because every sub-column holds the area of the stroke that passes it, spread over the
height it passes.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32

from ecgmae_jax.rendering.traces import TracePlan, pen_reach

# Coverage is summed in integers of this size, which add up to the same picture in any order.
_FULL = 1 << 16

Columns = Float[Array, "r s"]


class Strokes(NamedTuple):
    """The ink of one recording in every sub-column of every row, in pixels from the top.

    `share` of the space between `top` and `bottom` is inked, 0 where nothing is recorded.
    """

    top: Columns
    bottom: Columns
    share: Columns


def strokes(signal_mv: Float[Array, "l t"], plan: TracePlan) -> Strokes:
    """What a round pen leaves on the paper: it widens the line and reaches into its neighbours."""
    top, bottom, area = _extent(signal_mv.ravel(), plan)
    reach = pen_reach(plan.pen_px, plan.per_pixel)
    num_columns = top.shape[1]

    def neighbours(values: Columns, outside: float) -> list[Columns]:
        padded = jnp.pad(values, ((0, 0), (reach, reach)), constant_values=outside)
        return [padded[:, i : i + num_columns] for i in range(2 * reach + 1)]

    radius = plan.pen_px / 2
    away = np.arange(-reach, reach + 1) / plan.per_pixel
    tip = np.sqrt(np.maximum(radius**2 - away**2, 0)).tolist()
    tops, bottoms = neighbours(top, jnp.inf), neighbours(bottom, -jnp.inf)
    top, bottom = tops[0] - tip[0], bottoms[0] + tip[0]
    for next_top, next_bottom, height in zip(tops[1:], bottoms[1:], tip[1:], strict=True):
        top = jnp.minimum(top, next_top - height)
        bottom = jnp.maximum(bottom, next_bottom + height)
    area = sum(neighbours(area, 0.0)) / (2 * reach + 1)
    share = jnp.minimum(area * plan.per_pixel / (bottom - top), 1.0)
    return Strokes(top, bottom, jnp.where(area > 0, share, 0.0))


def _extent(samples: Float[Array, "n"], plan: TracePlan) -> tuple[Columns, Columns, Columns]:
    """Top and bottom (pixels) of the line in every sub-column and the area of its stroke.

    Top is +inf and bottom -inf where nothing is recorded.
    """

    def sample(index: Int32[np.ndarray, "r s"]) -> Columns:
        return samples.at[index].get(mode="promise_in_bounds")

    def border(index, fraction, recorded: Bool[np.ndarray, "r s"]) -> Columns:
        before = sample(index)
        return jnp.where(recorded, before + (sample(index + 1) - before) * fraction, jnp.nan)

    left = border(plan.left, plan.left_fraction, plan.left_recorded)
    right = border(plan.right, plan.right_fraction, plan.right_recorded)
    inside = [
        jnp.where(plan.has_inside, jnp.where(recorded, sample(index), jnp.nan), left)
        for index, recorded in zip(plan.inside, plan.inside_recorded, strict=True)
    ]
    path = [plan.baseline_px - point * plan.px_per_mv for point in (left, *inside, right)]

    top, bottom, travel = jnp.inf, -jnp.inf, 0.0
    for point in path:
        top = jnp.minimum(top, jnp.where(jnp.isfinite(point), point, jnp.inf))
        bottom = jnp.maximum(bottom, jnp.where(jnp.isfinite(point), point, -jnp.inf))
    for before, after in itertools.pairwise(path):
        step = jnp.abs(after - before)
        travel = travel + jnp.where(jnp.isfinite(step), step, 0.0)
    area = plan.pen_px * jnp.sqrt(travel**2 + plan.per_pixel**-2)
    return top, bottom, jnp.where(bottom >= top, area, 0.0)


def coverage(strokes: Strokes, *, per_pixel: int, height: int) -> Float[Array, "h w"]:
    """The share of each pixel, from 0 to 1, that the strokes of one recording cover.

    Only the two ends of an interval are written, as steps; a running sum up the picture fills
    what lies between. The work follows the length of the traces, not the area of the picture.
    """
    top, bottom, share = strokes
    num_columns = top.shape[1]
    width = num_columns // per_pixel
    weight = jnp.round(share * (_FULL / per_pixel)).astype(jnp.int32)
    column = np.arange(num_columns, dtype=np.int32)[None] // per_pixel
    # One row more on either side takes the steps of intervals that end at the sheet's edge.
    steps = jnp.zeros((height + 2) * width, jnp.int32)
    for end, sign in ((bottom, 1), (top, -1)):
        # Off the sheet both ends meet at its edge and cancel.
        end = jnp.clip(jnp.where(weight > 0, end, 0.0), 0, height)
        row = end.astype(jnp.int32)
        below = sign * jnp.round((end - row) * weight).astype(jnp.int32)
        above = sign * weight - below
        for place, step in ((row + 1, below), (row, above)):
            index = (place * width + column).ravel()
            steps = steps.at[index].add(step.ravel(), mode="promise_in_bounds")

    def next_row_up(total, step):
        total = total + step
        return total, total

    steps = steps.reshape(height + 2, width)[1 : height + 1]
    start = jnp.zeros(width, jnp.int32)
    filled = jax.lax.scan(next_row_up, start, steps, reverse=True)[1]
    return jnp.minimum(filled, _FULL).astype(jnp.float32) / _FULL
