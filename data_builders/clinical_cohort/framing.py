"""A scan of any size, fitted into the picture that is stored."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord

_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE = 32


def fit_into(
    image: Image.Image, *, height: int, width: int, record_id: str
) -> tuple[UInt8[np.ndarray, "h w c"], float]:
    """The whole scan in the middle of `height` x `width`, and by how much it was scaled.

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
    fitted = np.asarray(image.resize((columns, rows), method)).reshape(rows, columns, -1)
    picture = np.empty((height, width, fitted.shape[-1]), np.uint8)
    picture[:] = _edge_colour(fitted)
    top, left = (height - rows) // 2, (width - columns) // 2
    picture[top : top + rows, left : left + columns] = fitted
    return picture, scale


def _edge_colour(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, " c"]:
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    return np.median(np.concatenate(edges), axis=0).astype(np.uint8)
