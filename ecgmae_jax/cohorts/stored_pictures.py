"""A scan as it is stored, and shown: normalised, masked, brought to the size of the pictures."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from ecgmae_jax.cohorts.masks import Mask, masked
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.flat_sheet import flat_ink
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.scans.blank_paper import USUAL_WIDTH_MM, on_blank_paper
from ecgmae_jax.scans.framing import Framed, frame
from ecgmae_jax.scans.normalise import Normalised, Steps, normalise

# Of the sheet on which the ink is laid; of finer ones the place is no surer.
_FINE_PX_PER_MM = 2.5
_SHEET = ("layout", "mm_per_s", "mm_per_mv")


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
    """

    height: int
    width: int
    channels: int
    steps: Steps
    target_px_per_mm: float | None = None
    masks: tuple[Mask, ...] = ()
    px_per_mm: float = math.nan
    sheet: Sheet | None = None

    def as_dict(self) -> dict[str, Any]:
        """What is known of all pictures in this form, for a dataset's metadata."""
        if self.sheet is not None:
            return self.sheet.as_dict()
        return {name: getattr(self, name) for name in ("height", "width", "channels")}


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPicture:
    """A scan in the form of its cohort, what was done to it, and its px/mm; NaN if unknown."""

    framed: Framed
    scan: Normalised
    px_per_mm: float


def ink_sheet(
    picture: Mapping[str, int], *, normalise: Mapping[str, Any], geometry: Mapping[str, Any]
) -> Sheet | None:
    """The blank sheet that a description's `ink` is put on; None where it asks for none.

    Raises:
        InputError: for `ink` together with `px_per_mm`, with a sheet that is not stated, or one
            that no machine prints.
    """
    if not normalise["ink"]:
        return None
    stated = {name: geometry[name] for name in _SHEET if name in geometry}
    absent = [f"geometry.{name}" for name in _SHEET if name not in stated]
    if absent or normalise.get("px_per_mm"):
        found = f"{' and '.join(absent)} not stated" if absent else "normalise.px_per_mm stated"
        raise InputError(
            f"normalise.ink is true and {found}: the ink is put where the sheet of the geometry "
            f"has it, at that sheet's own px/mm; state geometry.{', geometry.'.join(_SHEET)}, and "
            "leave normalise.px_per_mm out"
        )
    return make_sheet(**stated, **picture, style="blank")


def picture_form(
    picture: Mapping[str, int],
    *,
    normalise: Mapping[str, Any],
    geometry: Mapping[str, Any],
    masks: tuple[Mask, ...],
) -> PictureForm:
    """The form that a cohort's description asks for, see `Description`.

    Raises:
        InputError: see `ink_sheet`.
    """
    steps = {name: normalise[name] for name in ("crop", "deskew", "scale", "flatten")}
    return PictureForm(
        **picture,
        steps=Steps(**steps),
        # 0 in configs, absent in a description: each scan as large as fits.
        target_px_per_mm=normalise.get("px_per_mm") or None,
        masks=masks,
        px_per_mm=geometry.get("px_per_mm", math.nan),
        sheet=ink_sheet(picture, normalise=normalise, geometry=geometry),
    )


def stored_picture(page: Image.Image, form: PictureForm, *, record_id: str) -> StoredPicture:
    """A page in the form of its cohort.

    Args:
        page: mode L or, as grids are found more surely in colour, RGB; upright.
        form: of the cohort's pictures.
        record_id: the name a rejection carries.

    Raises:
        RejectedRecord: a page too small, without ink where that is wanted, or without a scale where
            a mask needs one.
    """

    def covered(straight: Image.Image, scale: float | None) -> Image.Image:
        scale = scale or form.px_per_mm
        return masked(straight, form.masks, px_per_mm=scale, record_id=record_id)

    scan = normalise(
        page,
        steps=form.steps,
        target_px_per_mm=form.target_px_per_mm,
        expected_px_per_mm=_expected_px_per_mm(page, form),
        cover=covered,
    )
    px_per_mm = scan.px_per_mm or form.px_per_mm
    grey = form.channels == 1 and form.sheet is None
    shown = scan.picture.convert("L" if grey else "RGB")
    if form.sheet is None:
        framed = frame(
            shown,
            height=form.height,
            width=form.width,
            at_scale=scan.at_target,
            record_id=record_id,
        )
        return StoredPicture(framed, scan, px_per_mm * framed.scale)
    placed = on_blank_paper(
        shown,
        px_per_mm=px_per_mm if px_per_mm > 0 else None,
        template=flat_ink(form.sheet),
        fine_template=flat_ink(_finer(form.sheet)),
        template_px_per_mm=form.sheet.px_per_mm,
        record_id=record_id,
    )
    pixels = np.repeat(placed.pixels, form.channels, axis=-1)
    return StoredPicture(dataclasses.replace(placed, pixels=pixels), scan, form.sheet.px_per_mm)


def _finer(sheet: Sheet) -> Sheet:
    times = math.ceil(_FINE_PX_PER_MM / sheet.px_per_mm)
    return dataclasses.replace(sheet, height=times * sheet.height, width=times * sheet.width)


def _expected_px_per_mm(page: Image.Image, form: PictureForm) -> float | None:
    if form.px_per_mm > 0:
        return form.px_per_mm
    return page.width / USUAL_WIDTH_MM if form.sheet is not None else None
