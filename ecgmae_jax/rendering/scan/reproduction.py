"""Copiers and faxes: tone curves and two-tone pictures."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between

_FAX_PER_MM = 8.04  # ITU-T T.4, along a line
_FAX_THRESHOLD = 0.8


def colour_loss(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with a share of its colour gone; a grey picture has none to lose."""
    return picture + strength * (_luminance(picture, view) - picture)


def white_clipping(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture stretched so that the lightest `strength` of the range is all white."""
    return jnp.minimum(picture / (1 - strength), 255.0)


def photocopy(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture after a black-and-white copier: pale grid turns white, print turns black.

    The tone curve has slope `strength` at 0.6 to 0.8 of the mean tone, which paper dominates.
    """
    grey = _luminance(picture, view)
    pivot = between(draws[0], 0.6, 0.8)
    copied = 255 * jnp.clip(pivot + strength * (grey / jnp.mean(grey) - pivot), 0, 1)
    return jnp.broadcast_to(copied, picture.shape)


def binarise(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture in black and white: black where darker than `strength` of its mean tone."""
    grey = _luminance(picture, view)
    white = jnp.where(grey < strength * jnp.mean(grey), 0.0, 255.0)
    return jnp.broadcast_to(white, picture.shape)


def fax(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture after a fax machine with `strength` lines per mm: black and white, in steps.

    Steps show only where the picture is finer than the fax.
    """
    rows = _nearest_line(view.height, view.px_per_mm, jnp.minimum(strength, view.px_per_mm))
    coarse = jnp.take(picture, rows, axis=1, mode="clip")
    if view.px_per_mm > _FAX_PER_MM:
        columns = _nearest_line(view.width, view.px_per_mm, jnp.float32(_FAX_PER_MM))
        coarse = jnp.take(coarse, columns, axis=2, mode="clip")
    return binarise(coarse, jnp.float32(_FAX_THRESHOLD), draws, view)


def _nearest_line(size: int, px_per_mm: float, lines_per_mm: Scalar):
    """For each pixel the pixel in the middle of the fax line that it lies in."""
    per_line = px_per_mm / lines_per_mm
    line = jnp.floor((np.arange(size, dtype=np.float32) + 0.5) / per_line)
    return jnp.floor((line + 0.5) * per_line).astype(jnp.int32)


def _luminance(picture: Picture, view: View) -> Float[Array, "1 h w"]:
    if view.channels == 1:
        return picture
    weights = [in_channels(c, channels=1)[0] for c in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    return sum(weight * picture[i : i + 1] for i, weight in enumerate(weights))
