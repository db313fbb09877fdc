"""What the lens and the sensor do."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.scan.fields import outer_product, white_noise
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between

# Below this deviation, in pixels, a Gaussian is one pixel to the last bit.
_POINT_PX = 1e-3


def focus_blur(
    picture: Picture, strength: Scalar, draws: Draws, view: View, *, largest: float
) -> Picture:
    """The picture out of focus, convolved with a Gaussian of `strength` mm.

    Args:
        largest: the largest strength there can be; it fixes the number of taps (3 deviations).
    """
    weights = gaussian_taps(strength * view.px_per_mm, largest * view.px_per_mm)
    return _along(_along(picture, weights, axis=1), weights, axis=2)


def gaussian_taps(sigma_px: Scalar, largest_px: float) -> Float[Array, "k"]:
    """A Gaussian integrated over each pixel, cut at three of the largest deviation."""
    reach = max(1, math.ceil(3 * largest_px))
    borders = np.arange(-reach, reach + 2, dtype=np.float32) - 0.5
    below = jax.scipy.stats.norm.cdf(borders / jnp.maximum(sigma_px, _POINT_PX))
    return jnp.diff(below) / (below[-1] - below[0])


def _along(picture: Picture, weights: Float[Array, "k"], *, axis: int) -> Picture:
    reach, size = len(weights) // 2, picture.shape[axis]
    widths = [(reach, reach) if i == axis else (0, 0) for i in range(3)]
    padded = jnp.pad(picture, widths, mode="edge")
    return sum(
        weight * jax.lax.slice_in_dim(padded, i, i + size, axis=axis)
        for i, weight in enumerate(weights)
    )


def motion_blur(
    picture: Picture, strength: Scalar, draws: Draws, view: View, *, largest: float
) -> Picture:
    """The picture smeared evenly over `strength` mm in a random direction.

    The way is cut into steps of at most a pixel; each is placed between pixels bilinearly.
    """
    num_steps = max(2, math.ceil(largest * view.px_per_mm) + 1)
    reach = math.ceil(largest * view.px_per_mm / 2) + 1
    padded = jnp.pad(picture, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    angle = np.pi * draws[0]
    along = (np.arange(num_steps, dtype=np.float32) / (num_steps - 1) - 0.5) * view.px_per_mm
    places = jnp.stack([jnp.sin(angle), jnp.cos(angle)])[:, None] * along[None] * strength
    whole = jnp.floor(places)
    part = places - whole
    start = whole.astype(jnp.int32) + reach
    total = 0.0
    for i in range(num_steps):
        y, x = part[0, i], part[1, i]
        for down, across, weight in (
            (0, 0, (1 - y) * (1 - x)),
            (0, 1, (1 - y) * x),
            (1, 0, y * (1 - x)),
            (1, 1, y * x),
        ):
            corner = (0, start[0, i] + down, start[1, i] + across)
            total = total + weight * jax.lax.dynamic_slice(padded, corner, picture.shape)
    return total / num_steps


def moire(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with the beat between the print's or screen's grid and the sensor's.

    Bands 2 to 12 mm apart that open like a fan; in colour each channel's are shifted.
    """
    pitch_mm = between(draws[0], 2.0, 12.0)
    angle = np.pi * draws[1]
    fan = between(draws[2], -2e-3, 2e-3)
    turns_y = jnp.sin(angle) * view.y_mm / pitch_mm + fan * view.y_mm**2 / pitch_mm
    turns_x = jnp.cos(angle) * view.x_mm / pitch_mm
    shift = draws[3] * np.arange(view.channels, dtype=np.float32)[:, None] / 3
    # cos(y + x) is a product of rank two, where a cosine at every pixel would cost ten times more.
    y, x = 2 * np.pi * (turns_y[None] + shift), 2 * np.pi * turns_x
    down = jnp.stack([jnp.cos(y), -jnp.sin(y)], axis=2)
    across = jnp.stack([jnp.cos(x), jnp.sin(x)])
    return picture * (1 + strength * outer_product(down, across))


def sensor_noise(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with independent Gaussian noise of deviation `strength` in every value."""
    noise = [white_noise(draws[2 * i : 2 * i + 2], view) for i in range(view.channels)]
    return picture + strength * jnp.concatenate(noise)
