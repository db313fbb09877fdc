"""A sheet: one layout on one paper, seen at one size in pixels."""

import dataclasses
from typing import Any

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.layouts import Layout, Strip, layout_named, strips_on_paper
from ecgmae_jax.rendering.paper import Paper

_SMALLEST_SIDE = 32
# A finer line is pale, and its place inside a pixel is lost: a pen of p < 1 px can be located to
# (1 - p) / 2 px.
_FINEST_PEN_PX = 0.7


@dataclasses.dataclass(frozen=True)
class Sheet:
    """What a picture shows and at which scale; hashable, so that a drawer can be kept for it."""

    layout: Layout
    paper: Paper
    height: int
    width: int
    channels: int

    @property
    def px_per_mm(self) -> float:
        """Pixels per millimetre, the same in x and y: the whole paper is in the picture."""
        return min(self.height / self.paper.height_mm, self.width / self.paper.width_mm)

    @property
    def pen_px(self) -> float:
        """Width of the pen in pixels, on a small picture not as fine as on paper."""
        return max(self.paper.pen_mm * self.px_per_mm, _FINEST_PEN_PX)

    @property
    def origin_mm(self) -> tuple[float, float]:
        """The paper's corner (x, y) in the picture: what the size leaves over is more paper."""
        x_mm = (self.width / self.px_per_mm - self.paper.width_mm) / 2
        y_mm = (self.height / self.px_per_mm - self.paper.height_mm) / 2
        return x_mm, y_mm

    @property
    def strips(self) -> tuple[Strip, ...]:
        """The strips, in millimetres from the upper left corner of the picture."""
        x_mm, y_mm = self.origin_mm
        return tuple(
            dataclasses.replace(strip, x_mm=strip.x_mm + x_mm, baseline_mm=strip.baseline_mm + y_mm)
            for strip in strips_on_paper(self.layout, self.paper)
        )

    def as_dict(self) -> dict[str, Any]:
        """The sheet in words and numbers that JSON can hold, for a data set's metadata."""
        return {
            "layout": self.layout.name,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "px_per_mm": self.px_per_mm,
            "mm_per_s": self.paper.mm_per_s,
            "mm_per_mv": self.paper.mm_per_mv,
            "pen_mm": self.pen_px / self.px_per_mm,
            "strips": [dataclasses.asdict(strip) for strip in self.strips],
        }


def make_sheet(
    layout: str = "3x4+1",
    *,
    height: int = 384,
    width: int = 512,
    channels: int = 1,
    mm_per_s: float = 25.0,
    mm_per_mv: float = 10.0,
) -> Sheet:
    """The sheet of a named layout in a picture of the given size.

    Raises:
        InputError: for an unknown layout, a picture smaller than 32 pixels, channels other than
            1 (grey) and 3 (RGB), or a speed or gain that no machine has.
    """
    if min(height, width) < _SMALLEST_SIDE:
        raise InputError(
            f"a sheet of {height} x {width} pixels is too small to read: "
            f"make both sides at least {_SMALLEST_SIDE} (384 x 512 is usual)"
        )
    if channels not in (1, 3):
        raise InputError(f"channels={channels}: a sheet has 1 (grey) or 3 (RGB)")
    paper = Paper(mm_per_s=float(mm_per_s), mm_per_mv=float(mm_per_mv))
    return Sheet(layout_named(layout), paper, int(height), int(width), int(channels))
