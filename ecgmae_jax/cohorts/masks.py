"""Rectangles of the page that are painted over before anything is stored: printed names."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.layers import paper_colour

UNITS = ("fraction", "mm")


@dataclasses.dataclass(frozen=True)
class Mask:
    """One rectangle, from the page's left and upper edge: fractions of its size, or millimetres."""

    left: float
    top: float
    right: float
    bottom: float
    unit: str = "fraction"


def masked(
    page: Image.Image, masks: Sequence[Mask], *, px_per_mm: float, record_id: str
) -> Image.Image:
    """The page with the rectangles in the colour of its paper; pixels touched at all are gone.

    Args:
        page: mode L or RGB, cropped and put straight.
        masks: of the cohort.
        px_per_mm: of the page; NaN if unknown.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: for millimetres on a page of unknown scale, which cannot be masked.
    """
    if not masks:
        return page
    if any(mask.unit == "mm" for mask in masks) and not px_per_mm > 0:
        detail = "the mask is in mm, and neither the grid nor cohort.toml tells the scale"
        raise RejectedRecord(record_id, "no-scale-for-mask", detail)
    paper = paper_colour(page)
    page = page.copy()
    pen = ImageDraw.Draw(page)
    for mask in masks:
        across, down = page.size if mask.unit == "fraction" else (px_per_mm, px_per_mm)
        # Pillow paints the last row and column, too.
        box = (
            int(np.floor(mask.left * across)),
            int(np.floor(mask.top * down)),
            int(np.ceil(mask.right * across)) - 1,
            int(np.ceil(mask.bottom * down)) - 1,
        )
        pen.rectangle(box, fill=paper)
    return page
