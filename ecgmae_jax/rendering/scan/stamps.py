"""Rubber stamps: a few designs, cut once, pressed on askew and unevenly."""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFont

from ecgmae_jax.rendering.scan.fields import paper_grain
from ecgmae_jax.rendering.scan.marks import inked, patch_shape
from ecgmae_jax.rendering.scan.sampling import sample
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between

_WORDS = (("RECEIVED", "12 MAR"), ("REVIEWED", "sign. ........"), ("CARDIOLOGY", "WARD 4B"))
_PATCH_MM = (40.0, 56.0)
_FRAME_MM = (16.0, 46.0)
_OVERSAMPLING = 4


def stamp(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with a stamp whose ink is `strength` opaque where the rubber pressed well."""
    designs = _designs(view)
    design = jnp.asarray(designs)[(draws[4] * len(designs)).astype(jnp.int32)]
    height, width = design.shape
    askew = between(draws[5], -0.35, 0.35)
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    x = np.arange(width, dtype=np.float32)[None] - (width - 1) / 2
    along, up = jnp.cos(askew), jnp.sin(askew)
    turned = sample(
        design[None], along * y - up * x + (height - 1) / 2, along * x + up * y + (width - 1) / 2
    )[0]
    pressure = paper_grain(draws[6:], view)[0, :height, :width]
    worn = jnp.clip(0.85 + 0.35 * pressure, 0, 1)
    return inked(picture, strength * turned * worn, draws, view)


@functools.cache
def _designs(view: View) -> Float32[np.ndarray, "n ph pw"]:
    """The share of each pixel that each design covers, blank all round."""
    return np.stack([_design(lines, view) for lines in _WORDS])


def _design(lines: tuple[str, str], view: View) -> Float32[np.ndarray, "ph pw"]:
    shape = patch_shape(_PATCH_MM, view)
    large = _OVERSAMPLING
    image = Image.new("L", (shape[1] * large, shape[0] * large))
    draw = ImageDraw.Draw(image)
    mm = view.px_per_mm * large
    middle_x, middle_y = image.width / 2, image.height / 2
    half_y, half_x = (side * mm / 2 for side in _FRAME_MM)
    box = (middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)
    draw.rectangle(box, outline=255, width=max(1, round(0.8 * mm)))
    for text, size_mm, away_mm in zip(lines, (6.5, 4.5), (-3.0, 4.0), strict=True):
        font = ImageFont.load_default(size_mm * mm)
        draw.text((middle_x, middle_y + away_mm * mm), text, 255, font=font, anchor="mm")
    return np.asarray(image.reduce(large), np.float32) / 255
