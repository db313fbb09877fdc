"""What was done to a scan on its way in, for the record."""

import dataclasses
from typing import Any

from ecgmae_jax.scans.page import Box

NOT_ASKED = "not asked for"
# A smaller skew is left: turning a picture back costs sharpness.
SMALLEST_SKEW_DEG = 0.15


@dataclasses.dataclass(frozen=True)
class Account:
    """What was done to one scan, and why the rest was not.

    Attributes:
        size: width and height as it came, in pixels.
        crop_box: left, top, right and bottom in the picture turned straight; None if not cropped.
        angle_deg: by which it was found turned, counterclockwise, and turned back if that was
            SMALLEST_SKEW_DEG or more; None if unknown.
        px_per_mm: of the scan as it came; None if unknown.
        px_per_mm_across: the same from left to right alone; px_per_mm_down: from top to bottom.
        spread: of the scale over the scan, see `GridScale`.
        bend_mm: the farthest that a point of the grid lay from its place on a flat page; None if
            the grid was not followed.
        flat_px_per_mm: along the grid of the flat page, before it was resampled; None likewise.
        flatten_reason: why it was not made flat; empty if it was.
        resampled: factor by which it was scaled to have the wanted px/mm; 1 if it was not.
    """

    size: tuple[int, int]
    crop_box: Box | None = None
    crop_reason: str = NOT_ASKED
    angle_deg: float | None = None
    deskew_reason: str = NOT_ASKED
    px_per_mm: float | None = None
    px_per_mm_across: float | None = None
    px_per_mm_down: float | None = None
    spread: float | None = None
    scale_reason: str = NOT_ASKED
    bend_mm: float | None = None
    flat_px_per_mm: float | None = None
    flatten_reason: str = NOT_ASKED
    resampled: float = 1.0

    @property
    def is_flattened(self) -> bool:
        """Whether perspective and curl were undone."""
        return self.flatten_reason == ""

    @property
    def is_turned(self) -> bool:
        """Whether the scan was turned back by `angle_deg`."""
        return self.angle_deg is not None and abs(self.angle_deg) >= SMALLEST_SKEW_DEG

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON can hold it."""
        fields = dataclasses.asdict(self)
        lists = {"size": list(self.size), "crop_box": self.crop_box and list(self.crop_box)}
        return fields | lists

    def in_words(self) -> str:
        """The account for people, in one line."""
        cropped = f"cropped to {self.crop_box}" if self.crop_box else self.crop_reason
        angle = self.deskew_reason if self.angle_deg is None else f"{self.angle_deg:+.2f} degrees"
        if self.px_per_mm is None:
            scale = f"no scale: {self.scale_reason}"
        else:
            scale = (
                f"{self.px_per_mm:.2f} px/mm ({self.px_per_mm_across:.2f} across, "
                f"{self.px_per_mm_down:.2f} down, spread {self.spread:.0%})"
            )
        words = [cropped, angle, scale, *self._of_flattening()]
        scaled = f", scaled by {self.resampled:.3f}" if self.resampled != 1 else ""
        return f"{'; '.join(words)}{scaled}"

    def _of_flattening(self) -> list[str]:
        if self.flatten_reason == NOT_ASKED:
            return []
        words = [f"not made flat: {self.flatten_reason}"]
        if self.is_flattened:
            words = [f"made flat by up to {self.bend_mm:.1f} mm"]
        if self.px_per_mm is None and self.flat_px_per_mm is not None:
            words.append(f"{self.flat_px_per_mm:.2f} px/mm by its lines of 5 mm")
        return words
