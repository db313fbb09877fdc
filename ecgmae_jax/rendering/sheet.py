"""A sheet: one layout on one paper, seen at one size in pixels."""

import dataclasses
from typing import Any

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.header import Header
from ecgmae_jax.rendering.layouts import Field, Layout, Strip
from ecgmae_jax.rendering.marks import Marks
from ecgmae_jax.rendering.paper import Paper
from ecgmae_jax.rendering.placing import strips_on_paper

_SMALLEST_SIDE = 32
# A finer line is pale, and its place inside a pixel is lost: a pen of p < 1 px can be located to
# (1 - p) / 2 px.
_FINEST_PEN_PX = 0.7


@dataclasses.dataclass(frozen=True)
class Sheet:
    """What a picture shows and at which scale; hashable, so that a drawer can be kept for it.

    Attributes:
        header: the words on the paper; None prints speed and gain at the foot and no more.
    """

    layout: Layout
    paper: Paper
    height: int
    width: int
    channels: int
    field: Field = dataclasses.field(default_factory=Field)
    marks: Marks = dataclasses.field(default_factory=Marks)
    header: Header | None = None

    def __post_init__(self):
        """Refuses pictures that cannot be read and fields that leave the paper."""
        if min(self.height, self.width) < _SMALLEST_SIDE:
            raise InputError(
                f"a sheet of {self.height} x {self.width} pixels is too small to read: "
                f"make both sides at least {_SMALLEST_SIDE} (384 x 512 is usual)"
            )
        if self.channels not in (1, 3):
            raise InputError(f"channels={self.channels}: a sheet has 1 (grey) or 3 (RGB)")
        field, paper = self.field, self.paper
        right_mm, foot_mm = field.left_mm + field.width_mm, field.top_mm + field.height_mm
        if right_mm > paper.width_mm + 1e-6 or foot_mm > paper.height_mm + 1e-6:
            raise InputError(
                f"traces as far as {right_mm:g} x {foot_mm:g} mm do not fit on a paper of "
                f"{paper.width_mm:g} x {paper.height_mm:g} mm: make the field smaller"
            )

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
            for strip in strips_on_paper(self.layout, self.paper, self.field)
        )

    def as_dict(self) -> dict[str, Any]:
        """The sheet in words and numbers that JSON can hold, for a data set's metadata.

        What is as on the plain sheet is left out, so that its description stays what it was
        before there were others.
        """
        described = {
            "layout": self.layout.name,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "px_per_mm": self.px_per_mm,
            "mm_per_s": self.paper.mm_per_s,
            "mm_per_mv": self.paper.mm_per_mv,
            "pen_mm": self.pen_px / self.px_per_mm,
            "strips": [_described_strip(strip, self.paper) for strip in self.strips],
        }
        plain = Paper(mm_per_s=self.paper.mm_per_s, mm_per_mv=self.paper.mm_per_mv)
        more = {
            "paper": _changed(self.paper, plain),
            "field": _changed(self.field, Field()),
            "marks": _changed(self.marks, Marks()),
        }
        described.update({name: changed for name, changed in more.items() if changed})
        if self.header is not None:
            described["header"] = dataclasses.asdict(self.header)
        return _as_json(described)


def _described_strip(strip: Strip, paper: Paper) -> dict[str, Any]:
    described = dataclasses.asdict(strip)
    plain = {"polarity": 1, "mm_per_mv": paper.mm_per_mv}
    return {name: value for name, value in described.items() if value != plain.get(name)}


def _changed(value: Any, plain: Any) -> dict[str, Any]:
    """The fields in which a dataclass differs from the plain one."""
    return {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != getattr(plain, field.name)
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(part) for key, part in value.items()}
    return [_as_json(part) for part in value] if isinstance(value, list | tuple) else value
