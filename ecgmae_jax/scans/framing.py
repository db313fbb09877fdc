"""A scan of any size, brought into the picture that is stored."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord

_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE = 32
# The margins of most sheets are wider than this at either end.
_MOST_CUT = 0.035


@dataclasses.dataclass(frozen=True, eq=False)
class Framed:
    """A stored picture.

    Attributes:
        scale: by which the scan was scaled to fit; 1 where it kept its own scale.
        cut: share of the scan's width or height, whichever lost more, that lies outside.
    """

    pixels: UInt8[np.ndarray, "h w c"]
    scale: float
    cut: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """How it was framed, as JSON can hold it."""
        return {"scale": self.scale, "cut": self.cut}


def frame(image: Image.Image, *, height: int, width: int, at_scale: bool, record_id: str) -> Framed:
    """The scan in `height` x `width` pixels: at the scale it has, if wanted and possible, or whole.

    Raises:
        RejectedRecord: see `fit_into`.
    """
    placed = place_at_scale(image, height=height, width=width) if at_scale else None
    return placed or fit_into(image, height=height, width=width, record_id=record_id)


def place_at_scale(image: Image.Image, *, height: int, width: int) -> Framed | None:
    """The scan in the middle of `height` x `width` pixels, as large as it is.

    What is missing is filled as in `fit_into`, what is too much is cut off evenly; None where more
    than 7 % would be lost, half of it at either end.
    """
    cut = max(0.0, 1 - width / image.width, 1 - height / image.height)
    if cut > 2 * _MOST_CUT:
        return None
    left, top = (image.width - width) // 2, (image.height - height) // 2
    right, bottom = min(image.width, left + width), min(image.height, top + height)
    kept = image.crop((max(0, left), max(0, top), right, bottom))
    return Framed(_in_the_middle(np.asarray(kept), height=height, width=width), 1.0, cut)


def fit_into(image: Image.Image, *, height: int, width: int, record_id: str) -> Framed:
    """The whole scan in the middle of `height` x `width` pixels.

    Width and height are scaled alike: millimetres stay square. Shrinking averages over areas, so
    that thin traces grow paler but do not break. The rest is filled with the median colour of the
    scan's edge, the paper's own in most scans.

    Args:
        image: mode L or RGB.
        height: of the result, in pixels.
        width: of the result, in pixels.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: for a scan with too few pixels to fill the picture, or too narrow to.
    """
    scale = min(height / image.height, width / image.width)
    rows = min(height, max(1, round(image.height * scale)))
    columns = min(width, max(1, round(image.width * scale)))
    if scale > _LARGEST_ENLARGEMENT or min(rows, columns) < _SMALLEST_SIDE:
        detail = f"{image.width} x {image.height} pixels for a picture of {width} x {height}"
        raise RejectedRecord(record_id, "too-small", detail)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    fitted = np.asarray(image.resize((columns, rows), method))
    return Framed(_in_the_middle(fitted, height=height, width=width), scale)


def _in_the_middle(pixels: np.ndarray, *, height: int, width: int) -> UInt8[np.ndarray, "h w c"]:
    rows, columns = pixels.shape[:2]
    pixels = pixels.reshape(rows, columns, -1)
    picture = np.empty((height, width, pixels.shape[-1]), np.uint8)
    picture[:] = _edge_colour(pixels)
    top, left = (height - rows) // 2, (width - columns) // 2
    picture[top : top + rows, left : left + columns] = pixels
    return picture


def _edge_colour(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, " c"]:
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    return np.median(np.concatenate(edges), axis=0).astype(np.uint8)
