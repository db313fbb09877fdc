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
from jaxtyping import Array, Float, Int32

from ecgmae_jax.rendering.traces import TraceGeometry, TracePlan

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


def strokes(signal_mv: Float[Array, "l t"], plan: TracePlan, geometry: TraceGeometry) -> Strokes:
    """What a round pen leaves on the paper: it widens the line and reaches into its neighbours."""
    top, bottom, area = _extent(signal_mv, plan, geometry)
    num_columns, num_tips = top.shape[1], len(geometry.tip)
    reach = num_tips // 2

    def neighbours(values: Columns, outside: float) -> list[Columns]:
        padded = jnp.pad(values, ((0, 0), (reach, reach)), constant_values=outside)
        return [padded[:, i : i + num_columns] for i in range(num_tips)]

    tops, bottoms = neighbours(top, jnp.inf), neighbours(bottom, -jnp.inf)
    top, bottom = tops[0] - geometry.tip[0], bottoms[0] + geometry.tip[0]
    for i in range(1, num_tips):
        top = jnp.minimum(top, tops[i] - geometry.tip[i])
        bottom = jnp.maximum(bottom, bottoms[i] + geometry.tip[i])
    covers = jnp.isfinite(geometry.tip)
    areas = [jnp.where(covers[i], near, 0) for i, near in enumerate(neighbours(area, 0.0))]
    area = sum(areas) / covers.sum()
    share = jnp.minimum(area * geometry.per_pixel / (bottom - top), 1.0)
    return Strokes(top, bottom, jnp.where(area > 0, share, 0.0))


def _extent(
    signal_mv: Float[Array, "l t"], plan: TracePlan, geometry: TraceGeometry
) -> tuple[Columns, Columns, Columns]:
    """Top and bottom (pixels) of the line in every sub-column and the area of its stroke.

    Top is +inf and bottom -inf where nothing is recorded.
    """
    num_samples = signal_mv.shape[1]
    samples = signal_mv.ravel()

    def sample(index: Int32[Array, "r s"]) -> Columns:
        recorded = plan.drawn & (index >= 0) & (index < num_samples)
        place = jnp.where(recorded, plan.lead * num_samples + index, 0)
        return jnp.where(recorded, samples.at[place].get(mode="promise_in_bounds"), jnp.nan)

    def border(position: Columns) -> Columns:
        index = jnp.floor(position).astype(jnp.int32)
        before = sample(index)
        return before + (sample(index + 1) - before) * (position - index)

    left, right = border(plan.left), border(plan.right)
    first = jnp.ceil(plan.left).astype(jnp.int32)
    last = jnp.floor(plan.right).astype(jnp.int32)
    inside = [
        jnp.where(last >= first, sample(jnp.minimum(first + m, last)), left)
        for m in range(geometry.most_inside)
    ]
    path = [plan.baseline_px - point * plan.px_per_mv for point in (left, *inside, right)]

    top, bottom, travel = jnp.inf, -jnp.inf, 0.0
    for point in path:
        top = jnp.minimum(top, jnp.where(jnp.isfinite(point), point, jnp.inf))
        bottom = jnp.maximum(bottom, jnp.where(jnp.isfinite(point), point, -jnp.inf))
    for before, after in itertools.pairwise(path):
        step = jnp.abs(after - before)
        travel = travel + jnp.where(jnp.isfinite(step), step, 0.0)
    area = geometry.pen_px * jnp.sqrt(travel**2 + geometry.per_pixel**-2)
    return top, bottom, jnp.where(bottom >= top, area, 0.0)


def ink_outside(strokes: Strokes, plan: TracePlan) -> Float[Array, ""]:
    """The share of the ink that lies in the band of another row or off the picture."""
    top, bottom, share = strokes
    ceiling, floor = plan.baseline_px - plan.band_px, plan.baseline_px + plan.band_px
    length = jnp.where(share > 0, bottom - top, 0.0)
    kept = jnp.clip(jnp.minimum(bottom, floor) - jnp.maximum(top, ceiling), 0, length)
    total = jnp.sum(share * length)
    return jnp.where(total > 0, 1 - jnp.sum(share * kept) / jnp.maximum(total, 1e-6), 0.0)


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
