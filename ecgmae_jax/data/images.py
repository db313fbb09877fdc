"""Pictures between numpy, (h, w, c) uint8 with one or three channels, and Pillow."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def to_pillow(image: UInt8[np.ndarray, "h w c"]) -> Image.Image:
    """A Pillow picture, grey for one channel and RGB for three."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def to_array(picture: Image.Image) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of a grey or RGB picture, writable."""
    pixels = np.array(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def resize(
    image: UInt8[np.ndarray, "h w c"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h2 w2 c"]:
    """The picture at `size` (height, width), bicubic and anti-aliased when it shrinks."""
    height, width = size
    return to_array(to_pillow(image).resize((width, height), Image.Resampling.BICUBIC))
