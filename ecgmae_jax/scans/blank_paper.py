"""A scan's ink on blank paper, at the scale and in the place of a layout's own sheet."""

import dataclasses

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.alignment import likeness, offset_of, window
from ecgmae_jax.scans.framing import Framed
from ecgmae_jax.scans.ink import ink_of

# As far as a sheet may lie from the middle of its page.
_REACH_MM = 25.0
_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE = 32
# Of pages whose grid tells no scale: the width of letter and A4 paper lies on either side, and what
# was cut off or scanned beside the page makes the layout this much smaller or larger.
_USUAL_WIDTH_MM = 285.0
_SCALES_TRIED = np.linspace(0.85, 1.15, 31)
# Reduced, thin traces grow pale; on drawn sheets the darkest 1.5 % of the pixels are full ink.
_FULL_PERCENTILE = 98.5
_PALEST_FULL = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class _Placed:
    """The page's ink at some scale, as far as the sheet reaches."""

    seen: Float32[np.ndarray, "h w"]
    scale: float
    cut: float
    moved: tuple[int, int]


def on_blank_paper(
    page: Image.Image,
    *,
    px_per_mm: float | None,
    template: Float32[np.ndarray, "h w"],
    template_px_per_mm: float,
    record_id: str,
) -> Framed:
    """The page's traces and print in black on white, as a sheet of the template's size.

    Brought to the template's px/mm and moved to where the layout's baselines, pulses and names of
    leads fit the template best; where the page's own scale is unknown, at that of some scales about
    the one that fills the picture at which they fit best.

    Args:
        page: mode L or RGB, straight.
        px_per_mm: of the page; None if unknown.
        template: ink of a sheet of the layout without a signal.
        template_px_per_mm: its scale.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: for a page with too few pixels.
    """
    height, width = template.shape
    if px_per_mm:
        scales = [template_px_per_mm / px_per_mm]
    else:
        scales = min(height / page.height, width / page.width) * _SCALES_TRIED
    largest, smallest = max(scales), min(scales) * min(page.size)
    if largest > _LARGEST_ENLARGEMENT or smallest < _SMALLEST_SIDE:
        detail = f"{page.width} x {page.height} pixels for a picture of {width} x {height}"
        raise RejectedRecord(record_id, "too-small", detail)
    ink = ink_of(page, px_per_mm=px_per_mm or page.width / _USUAL_WIDTH_MM)
    reach_px = round(_REACH_MM * template_px_per_mm)
    tried = [_placed(ink, float(scale), template, reach_px) for scale in scales]
    best = max(tried, key=lambda placed: likeness(placed.seen, template))
    full = max(float(np.percentile(best.seen, _FULL_PERCENTILE)), _PALEST_FULL)
    grey = np.rint(255 * (1 - np.clip(best.seen / full, 0, 1))).astype(np.uint8)
    return Framed(grey[..., None], best.scale, best.cut, best.moved)


def _placed(
    ink: Float32[np.ndarray, "h w"],
    scale: float,
    template: Float32[np.ndarray, "H W"],
    reach_px: int,
) -> _Placed:
    rows, columns = (round(side * scale) for side in ink.shape)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    scaled = np.asarray(Image.fromarray(ink).resize((columns, rows), method)).clip(0, 1)
    top, left = offset_of(scaled, template, reach_px=reach_px)
    height, width = template.shape
    seen = window(scaled, top=top, left=left, height=height, width=width)
    cut = max(0.0, 1 - float(seen.sum()) / max(float(scaled.sum()), 1e-6))
    return _Placed(seen, scale, cut, (top - (rows - height) // 2, left - (columns - width) // 2))
