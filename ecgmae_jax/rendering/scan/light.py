"""How the light falls on the page. Shares are of the stored values, which cameras gamma-code."""

import jax.numpy as jnp
import numpy as np

from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.scan.fields import blotches, mesh_shape, spread
from ecgmae_jax.rendering.scan.view import (
    Draws,
    Picture,
    Scalar,
    View,
    between,
    either_way,
)

_GAMMA = 2.2


def uneven_light(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture lit from one side: 1 - `strength` of the light reaches the far corner."""
    angle = 2 * np.pi * draws[0]
    side_y, side_x = jnp.sin(angle), jnp.cos(angle)
    reach = jnp.abs(side_y) + jnp.abs(side_x)
    down = 1 - strength * (0.5 + 0.5 * side_y / reach * view.y_unit)
    across = strength * 0.5 * side_x / reach * view.x_unit
    return picture * (down[None, :, None] - across[None, None, :])


def shadow(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with a hand's or a telephone's shadow over a part of it, its edge soft."""
    rows, columns = mesh_shape(view)
    angle = 2 * np.pi * draws[0]
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
    depth = jnp.sin(angle) * y + jnp.cos(angle) * x - between(draws[1], -0.4, 0.8)
    # Its outline: an arc, as of a head or a hand, and a little of what is irregular.
    across = jnp.cos(angle) * y - jnp.sin(angle) * x
    depth = depth + between(draws[2], -0.6, 0.6) * across**2
    depth = depth + between(draws[3], 0.02, 0.12) * blotches(draws[4:], view)
    share = jnp.clip(0.5 + depth / between(draws[6], 0.25, 1.2), 0, 1)
    dark = share * share * (3 - 2 * share)
    return picture * spread(1 - strength * dark, view)


def vignetting(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with its corners `strength` darker than its middle."""
    down = 1 - strength / 2 * view.y_unit**2
    across = strength / 2 * view.x_unit**2
    return picture * (down[None, :, None] - across[None, None, :])


def exposure(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture under-exposed by `strength` stops."""
    return picture * jnp.exp2(-strength / _GAMMA)


def colour_cast(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture under warm or cold light: red gains what blue loses, green a little of either.

    A grey picture changes by the luminance of that.
    """
    warm = either_way(draws[0]) * strength / 2
    green = between(draws[1], -0.25, 0.25) * strength
    weights = np.float32([in_channels(c, channels=view.channels) for c in _PRIMARIES])
    gains = weights.T @ jnp.stack([1 + warm, 1 + green, 1 - warm])
    return picture * gains[:, None, None]


_PRIMARIES = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
