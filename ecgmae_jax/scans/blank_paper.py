"""A scan's ink on blank paper, at the scale and in the place of a layout's own sheet."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt8
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
USUAL_WIDTH_MM = 285.0
_SCALES_TRIED = np.linspace(0.85, 1.15, 31)
_NEAR_BEST = np.linspace(0.99, 1.01, 5)
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

    moved: tuple[float, float] = (0.0, 0.0)
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
    fine_template: Float32[np.ndarray, "H W"],
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
        template: ink of a sheet of the layout without a signal, as large as the picture.
        fine_template: the same some whole times as large: traces are to lie where they lie on
            drawn sheets by a small part of a pixel.
        template_px_per_mm: scale of the first.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: for a page with too few pixels, or without ink.
    """
    known = px_per_mm or page.width / USUAL_WIDTH_MM
    reduced = max(1, int(known // _FINEST_PX_PER_MM))
    filling = min(np.divide(template.shape, (page.height, page.width)))
    nominal = template_px_per_mm / px_per_mm if px_per_mm else float(filling)
    _check_size(page, nominal, template.shape, record_id)
    ink = ink_of(page.reduce(reduced), px_per_mm=known / reduced)
    if not ink.any():
        detail = f"nothing on it is darker than its paper and narrower than {WIDEST_STROKE_MM} mm"
        raise RejectedRecord(record_id, "no-ink", detail)
    scales = np.array([nominal * reduced])
    if not px_per_mm:
        scales = _best(ink, scales * _SCALES_TRIED, template, template_px_per_mm).scale * _NEAR_BEST
    fine = fine_template.shape[0] // template.shape[0]
    placed = _best(ink, scales * fine, fine_template, template_px_per_mm * fine)
    best = placed.at(placed.scale / fine, ink, template)
    return OnBlankPaper(
        _in_black(best.seen),
        best.scale / reduced,
        moved=best.moved(ink),
        likeness=best.likeness,
        ink_cut=max(0.0, 1 - float(best.seen.sum()) / (float(ink.sum()) * best.scale**2)),
        scale_by_layout=px_per_mm is None,
    )


def _in_black(seen: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 1"]:
    full = max(float(np.percentile(seen, _FULL_PERCENTILE)), _PALEST_FULL)
    return np.rint(255 * (1 - np.clip(seen / full, 0, 1))).astype(np.uint8)[..., None]


def _check_size(page: Image.Image, scale: float, shape: tuple[int, ...], record_id: str) -> None:
    if scale > _LARGEST_ENLARGEMENT or min(page.size) * scale < _SMALLEST_SIDE:
        detail = (
            f"{page.width} x {page.height} pixels, which a picture of {shape[1]} x {shape[0]} at "
            f"the sheet's scale shows {scale:.2f} times as large"
        )
        raise RejectedRecord(record_id, "too-small", detail)


class _Placed(NamedTuple):
    """The ink of a page at a scale, as far as the sheet reaches, and where on the page that is."""

    seen: Float32[np.ndarray, "H W"]
    scale: float
    centre: tuple[float, float]
    likeness: float

    def moved(self, ink: Float32[np.ndarray, "h w"]) -> tuple[float, float]:
        """From the middle of the page, down and right, at this scale."""
        down, right = (
            (place - side / 2) * self.scale
            for place, side in zip(self.centre, ink.shape, strict=True)
        )
        return down, right

    def at(
        self, scale: float, ink: Float32[np.ndarray, "h w"], template: Float32[np.ndarray, "H W"]
    ) -> "_Placed":
        """The same part of the page as large as a template."""
        seen = window(ink, centre=self.centre, scale=scale, shape=template.shape)
        return _Placed(seen, scale, self.centre, likeness(seen, template))


def _best(
    ink: Float32[np.ndarray, "h w"],
    scales: Float[np.ndarray, " n"],
    template: Float32[np.ndarray, "H W"],
    template_px_per_mm: float,
) -> _Placed:
    """The part of the ink that is most like the template, at one of some scales of the ink."""
    reach_px = round(_REACH_MM * template_px_per_mm)
    tried = (_placed(ink, float(scale), template, reach_px) for scale in scales)
    return max(tried, key=lambda placed: placed.likeness)


def _placed(
    ink: Float32[np.ndarray, "h w"],
    scale: float,
    template: Float32[np.ndarray, "H W"],
    reach_px: int,
) -> _Placed:
    """The part of the ink that fits the template best, at a scale of the ink."""
    whole = tuple(round(side * scale) for side in ink.shape)
    middle = tuple(side / 2 for side in ink.shape)
    scaled = window(ink, centre=middle, scale=scale, shape=whole)
    offset = offset_of(scaled, template, reach_px=reach_px)
    centre = tuple(
        m + (o + t / 2 - w / 2) / scale
        for m, o, t, w in zip(middle, offset, template.shape, whole, strict=True)
    )
    return _Placed(scaled, scale, centre, 0.0).at(scale, ink, template)
