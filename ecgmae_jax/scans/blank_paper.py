"""A scan's ink on blank paper, at the scale and in the place of a layout's own sheet."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.alignment import likeness, offset_of, window
from ecgmae_jax.scans.framing import Framed
from ecgmae_jax.scans.ink import WIDEST_STROKE_MM, ink_of

# As far as a sheet may lie from the middle of its page.
_REACH_MM = 25.0
# A pen's stroke is two pixels wide at this; finer pages are reduced before their ink is looked for.
_FINEST_PX_PER_MM = 6.0
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
class OnBlankPaper(Framed):
    """A stored picture of ink alone.

    Attributes:
        moved: pixels, down and right, by which the picture looks at the page off its middle.
        likeness: correlation of the ink with what the layout has of its own.
        ink_cut: share of the page's ink that lies outside.
        scale_by_layout: whether the layout told the scale, since nothing else did.
    """

    moved: tuple[int, int] = (0, 0)
    likeness: float = 0.0
    ink_cut: float = 0.0
    scale_by_layout: bool = False

    def as_dict(self) -> dict[str, Any]:
        """How it was framed, as JSON can hold it."""
        names = ("likeness", "ink_cut", "scale_by_layout")
        own = {name: getattr(self, name) for name in names}
        return super().as_dict() | {"moved": list(self.moved)} | own


def on_blank_paper(
    page: Image.Image,
    *,
    px_per_mm: float | None,
    template: Float32[np.ndarray, "h w"],
    template_px_per_mm: float,
    record_id: str,
) -> OnBlankPaper:
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
        RejectedRecord: for a page with too few pixels, or without ink.
    """
    known = px_per_mm or page.width / _USUAL_WIDTH_MM
    reduced = max(1, int(known // _FINEST_PX_PER_MM))
    if px_per_mm:
        scales = [template_px_per_mm / px_per_mm]
    else:
        fitting = min(np.divide(template.shape, (page.height, page.width)))
        scales = [fitting, *(fitting * _SCALES_TRIED)]
    scales = _possible(page, scales, template.shape, record_id)
    ink = ink_of(page.reduce(reduced), px_per_mm=known / reduced)
    if not ink.any():
        detail = f"nothing on it is darker than its paper and narrower than {WIDEST_STROKE_MM} mm"
        raise RejectedRecord(record_id, "no-ink", detail)
    reach_px = round(_REACH_MM * template_px_per_mm)
    tried = [(s, *_placed(ink, s * reduced, template, reach_px)) for s in scales]
    scale, seen, moved, cut = max(tried, key=lambda each: likeness(each[1], template))
    full = max(float(np.percentile(seen, _FULL_PERCENTILE)), _PALEST_FULL)
    grey = np.rint(255 * (1 - np.clip(seen / full, 0, 1))).astype(np.uint8)
    fit = likeness(seen, template)
    return OnBlankPaper(grey[..., None], scale, 0.0, moved, fit, cut, px_per_mm is None)


def _possible(
    page: Image.Image, scales: Sequence[float], shape: tuple[int, ...], record_id: str
) -> list[float]:
    """Those scales that do not blow the page up; the first has to be one."""
    side = min(page.size) * scales[0]
    if scales[0] > _LARGEST_ENLARGEMENT or side < _SMALLEST_SIDE:
        detail = (
            f"{page.width} x {page.height} pixels, which a picture of {shape[1]} x {shape[0]} at "
            f"the sheet's scale shows {scales[0]:.2f} times as large"
        )
        raise RejectedRecord(record_id, "too-small", detail)
    return [float(scale) for scale in scales if scale <= _LARGEST_ENLARGEMENT]


def _placed(
    ink: Float32[np.ndarray, "h w"],
    scale: float,
    template: Float32[np.ndarray, "H W"],
    reach_px: int,
) -> tuple[Float32[np.ndarray, "H W"], tuple[int, int], float]:
    """The ink at a scale, as far as the sheet reaches; how far moved, and the share left out."""
    rows, columns = (round(side * scale) for side in ink.shape)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    scaled = np.asarray(Image.fromarray(ink).resize((columns, rows), method)).clip(0, 1)
    top, left = offset_of(scaled, template, reach_px=reach_px)
    height, width = template.shape
    seen = window(scaled, top=top, left=left, height=height, width=width)
    cut = max(0.0, 1 - float(seen.sum()) / max(float(scaled.sum()), 1e-6))
    return seen, (top - (rows - height) // 2, left - (columns - width) // 2), cut
