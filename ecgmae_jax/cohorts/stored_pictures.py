"""A scan as it is stored, and shown: normalised, masked, brought to the size of the pictures."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.cohorts.masks import Mask, masked
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.flat_sheet import flat_ink
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.scans.blank_paper import on_blank_paper
from ecgmae_jax.scans.framing import Framed, frame
from ecgmae_jax.scans.normalise import Normalised, Steps, normalise


@dataclasses.dataclass(frozen=True, eq=False)
class PictureForm:
    """How the scans of a cohort are stored, all alike.

    Attributes:
        height: of the stored pictures, in pixels.
        width: of the stored pictures, in pixels.
        channels: 1 or 3.
        steps: of the normalisation.
        target_px_per_mm: see `normalise`.
        masks: what is painted over, on the page after the steps.
        px_per_mm: stated of the scans as they come, for those whose grid does not show it; NaN if
            unknown.
        sheet: a blank one, for the ink alone to be put on; None for the page as it is.
        template: the ink that the sheet has of its own, see `flat_ink`.
    """

    height: int
    width: int
    channels: int
    steps: Steps
    target_px_per_mm: float | None = None
    masks: tuple[Mask, ...] = ()
    px_per_mm: float = math.nan
    sheet: Sheet | None = None
    template: Float32[np.ndarray, "h w"] | None = None

    def as_dict(self) -> dict[str, Any]:
        """What is known of all pictures in this form, for a dataset's metadata."""
        if self.sheet is not None:
            return self.sheet.as_dict()
        return {name: getattr(self, name) for name in ("height", "width", "channels")}


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPicture:
    """A scan in the form of its cohort, and what was done to it; px/mm is NaN if unknown."""

    framed: Framed
    scan: Normalised
    px_per_mm: float


def picture_form(
    picture: Mapping[str, int],
    *,
    normalise: Mapping[str, Any],
    geometry: Mapping[str, Any],
    masks: tuple[Mask, ...],
) -> PictureForm:
    """The form that a cohort's description asks for, see `Description`.

    Raises:
        InputError: for `ink` together with `px_per_mm`, or a layout that is not stated.
    """
    steps = dict(normalise)
    # 0 in configs, absent in a description: each scan as large as fits.
    target = steps.pop("px_per_mm", None) or None
    sheet, template = None, None
    if steps.pop("ink"):
        if target is not None or "layout" not in geometry:
            raise InputError(
                "normalise.ink puts the traces where the sheet of geometry.layout has them, at "
                "that sheet's own scale: state geometry.layout, and leave normalise.px_per_mm out"
            )
        facts = {n: geometry[n] for n in ("layout", "mm_per_s", "mm_per_mv") if n in geometry}
        sheet = make_sheet(**facts, **picture, style="blank")
        template = flat_ink(sheet)
    return PictureForm(
        **picture,
        steps=Steps(**steps),
        target_px_per_mm=target,
        masks=masks,
        px_per_mm=geometry.get("px_per_mm", math.nan),
        sheet=sheet,
        template=template,
    )


def stored_picture(page: Image.Image, form: PictureForm, *, record_id: str) -> StoredPicture:
    """A page in the form of its cohort.

    Args:
        page: mode L or, as grids are found more surely in colour, RGB; upright.
        form: of the cohort's pictures.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: a page too small, or without a scale where a mask needs one.
    """
    scan = normalise(page, steps=form.steps, target_px_per_mm=form.target_px_per_mm)
    px_per_mm = scan.px_per_mm or form.px_per_mm
    grey = form.channels == 1 and form.sheet is None
    shown = scan.picture.convert("L" if grey else "RGB")
    shown = masked(shown, form.masks, px_per_mm=px_per_mm, record_id=record_id)
    if form.sheet is None or form.template is None:
        framed = frame(
            shown,
            height=form.height,
            width=form.width,
            at_scale=scan.at_target,
            record_id=record_id,
        )
    else:
        framed = on_blank_paper(
            shown,
            px_per_mm=px_per_mm if px_per_mm > 0 else None,
            template=form.template,
            template_px_per_mm=form.sheet.px_per_mm,
            record_id=record_id,
        )
        pixels = np.repeat(framed.pixels, form.channels, axis=-1)
        framed = dataclasses.replace(framed, pixels=pixels)
    return StoredPicture(framed, scan, px_per_mm * framed.scale)
