"""A scan's ink on blank paper, at the scale and in the place of a layout's own sheet."""

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.alignment import offset_of, window
from ecgmae_jax.scans.framing import Framed
from ecgmae_jax.scans.ink import ink_of

# As far as a sheet may lie from the middle of its page.
_REACH_MM = 25.0
_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE = 32
# Of pages whose grid tells no scale: the width of letter and A4 paper lies on either side.
_USUAL_WIDTH_MM = 285.0
# Reduced, thin traces grow pale; on drawn sheets the darkest 1.5 % of the pixels are full ink.
_FULL_PERCENTILE = 98.5
_PALEST_FULL = 0.1


def on_blank_paper(
    page: Image.Image,
    *,
    px_per_mm: float | None,
    template: Float32[np.ndarray, "h w"],
    template_px_per_mm: float,
    record_id: str,
) -> Framed:
    """The page's traces and print in black on white, as a sheet of the template's size.

    Brought to the template's px/mm, or, where the page's own is unknown, to its size; then moved to
    where the layout's baselines, pulses and names of leads fit the template best.

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
    usual = page.width / _USUAL_WIDTH_MM
    if px_per_mm:
        scale = template_px_per_mm / px_per_mm
    else:
        scale = min(height / page.height, width / page.width)
    size = (round(page.width * scale), round(page.height * scale))
    if scale > _LARGEST_ENLARGEMENT or min(size) < _SMALLEST_SIDE:
        detail = f"{page.width} x {page.height} pixels for a picture of {width} x {height}"
        raise RejectedRecord(record_id, "too-small", detail)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    ink = Image.fromarray(ink_of(page, px_per_mm=px_per_mm or usual)).resize(size, method)
    ink = np.clip(np.asarray(ink), 0, 1)
    top, left = offset_of(ink, template, reach_px=round(_REACH_MM * template_px_per_mm))
    seen = window(ink, top=top, left=left, height=height, width=width)
    full = max(float(np.percentile(seen, _FULL_PERCENTILE)), _PALEST_FULL)
    grey = 255 * (1 - np.clip(seen / full, 0, 1))
    lost = 1 - float(seen.sum()) / max(float(ink.sum()), 1e-6)
    moved = (top - (size[1] - height) // 2, left - (size[0] - width) // 2)
    return Framed(np.rint(grey).astype(np.uint8)[..., None], scale, lost, moved)
