"""Lines of a pen as the share of each pixel they cover."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.scan.view import Scalar

# Dots of a line are this far apart, in pixels: nearer ones look the same.
_DOT_PX = 0.5


def num_dots(length_mm: float, px_per_mm: float) -> int:
    """Dots that make a line of that length look unbroken."""
    return math.ceil(length_mm * px_per_mm / _DOT_PX)


def line_coverage(
    y_px: Float[Array, "n"],
    x_px: Float[Array, "n"],
    *,
    width_px: Scalar,
    widest_px: float,
    down: Float[Array, "n"],
    shape: tuple[int, int],
) -> Float[Array, "ph pw"]:
    """The share of each pixel of a patch that a row of round dots covers.

    Args:
        widest_px: no line is wider; it fixes the number of pixels that a dot can reach.
        down: 1 where the pen is on the paper, 0 where it is lifted.
    """
    reach = math.ceil(widest_px / 2 + 0.5)
    row, column = jnp.floor(y_px).astype(jnp.int32), jnp.floor(x_px).astype(jnp.int32)
    steps = np.arange(-reach, reach + 1, dtype=np.int32)
    rows = row[:, None, None] + steps[None, :, None]
    columns = column[:, None, None] + steps[None, None, :]
    away_y = rows + 0.5 - y_px[:, None, None]
    away_x = columns + 0.5 - x_px[:, None, None]
    away = jnp.sqrt(away_y**2 + away_x**2)
    # A line finer than a pixel is pale instead.
    radius = jnp.maximum(width_px, 1.0) / 2
    dots = jnp.clip(radius + 0.5 - away, 0, 1) * jnp.minimum(width_px, 1.0)
    dots = dots * down[:, None, None]
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    index = jnp.where(inside, rows * shape[1] + columns, shape[0] * shape[1])
    patch = jnp.zeros(shape[0] * shape[1]).at[index.ravel()].max(dots.ravel(), mode="drop")
    return patch.reshape(shape)
