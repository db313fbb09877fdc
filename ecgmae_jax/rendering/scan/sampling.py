"""Bilinear look-up of pictures at places between their pixels; beyond an edge, the edge."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ecgmae_jax.rendering.scan.view import Picture

Places = Float[Array, "h w"]


def sample(picture: Picture, y: Places, x: Places) -> Picture:
    """The picture at (`y`, `x`), in pixels from the centre of the first."""
    height, width = picture.shape[1:]
    y, x = jnp.clip(y, 0, height - 1), jnp.clip(x, 0, width - 1)
    top = jnp.minimum(jnp.floor(y), height - 2)
    left = jnp.minimum(jnp.floor(x), width - 2)
    index = top.astype(jnp.int32) * width + left.astype(jnp.int32)
    planes = [plane.ravel() for plane in picture]

    def corners(index):
        steps = (0, 1, width, width + 1)
        return [
            jnp.stack([p.at[index + step].get(mode="promise_in_bounds") for p in planes])
            for step in steps
        ]

    # In two halves: a loop keeps XLA from joining look-up and arithmetic into one kernel, which
    # a CPU would run without its vector unit, at twice the cost of both.
    halves = jnp.pad(index.ravel(), (0, index.size % 2)).reshape(2, -1)
    looked_up = jax.lax.map(corners, halves)
    upper_left, upper_right, lower_left, lower_right = (
        jnp.moveaxis(found, 0, 1).reshape(len(picture), -1)[:, : index.size].reshape(-1, *y.shape)
        for found in looked_up
    )
    right, below = (x - left)[None], (y - top)[None]
    upper = upper_left + (upper_right - upper_left) * right
    lower = lower_left + (lower_right - lower_left) * right
    return upper + (lower - upper) * below
