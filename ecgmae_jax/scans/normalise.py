"""A scan cropped to its page, put straight, and its scale measured or made a wanted one."""

import dataclasses
from typing import Any

from PIL import Image

from ecgmae_jax.errors import InputError
from ecgmae_jax.scans.accounts import NOT_ASKED, SMALLEST_SKEW_DEG, Account
from ecgmae_jax.scans.deskew import skew_of, straighten
from ecgmae_jax.scans.grid_scale import grid_scale
from ecgmae_jax.scans.page import Page, box_of, find_page

_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE_PX = 32


@dataclasses.dataclass(frozen=True)
class Steps:
    """Which steps to take: crop to the page, put straight, measure the scale."""

    crop: bool
    deskew: bool
    scale: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Normalised:
    """A scan after the steps, the account of them, and whether it has the wanted px/mm."""

    picture: Image.Image
    account: Account
    at_target: bool

    @property
    def px_per_mm(self) -> float | None:
        """Of `picture`; None if unknown."""
        found = self.account.px_per_mm
        return None if found is None else found * self.account.resampled


def normalise(picture: Image.Image, *, steps: Steps, target_px_per_mm: float | None) -> Normalised:
    """The scan after the steps. Whatever cannot be told with certainty is left as it is.

    Args:
        picture: mode L or RGB, upright.
        steps: those to take.
        target_px_per_mm: the scale to give the scan, where its own is found; None to measure only.

    Raises:
        InputError: for a target without the step `scale`, or one that is no positive number.
    """
    if target_px_per_mm is not None and not (steps.scale and target_px_per_mm > 0):
        raise InputError(
            f"a target of {target_px_per_mm} px/mm: expected a positive number, and the step "
            "`scale`, which finds out what a scan has"
        )
    size = picture.size
    picture, straightened = _on_its_page(picture, steps)
    picture, scaled = _scaled(picture, target_px_per_mm) if steps.scale else (picture, {})
    account = Account(size, **straightened, **scaled)
    at_target = target_px_per_mm is not None and scaled["scale_reason"] == ""
    return Normalised(picture, account, at_target)


def _on_its_page(picture: Image.Image, steps: Steps) -> tuple[Image.Image, dict[str, Any]]:
    """The page alone and straight, and the fields of the account that say so."""
    page = find_page(picture) if steps.crop else Page(None, NOT_ASKED)
    mask, fields = page.mask, {"crop_reason": page.reason}
    if steps.deskew:
        skew = skew_of(picture, inside=mask)
        fields |= {"angle_deg": skew.angle_deg, "deskew_reason": skew.reason}
        if skew.angle_deg is not None and abs(skew.angle_deg) >= SMALLEST_SKEW_DEG:
            picture = straighten(picture, skew.angle_deg)
            mask = mask and mask.rotate(-skew.angle_deg, expand=True)
    if mask is None:
        return picture, fields
    box = box_of(mask, size=picture.size)
    if box is None:
        return picture, fields | {"crop_reason": "the page reaches all sides"}
    return picture.crop(box), fields | {"crop_box": box}


def _scaled(picture: Image.Image, target: float | None) -> tuple[Image.Image, dict[str, Any]]:
    """The scan at the target's px/mm if possible, and the fields of the account about scale."""
    found = grid_scale(picture)
    fields = {
        "px_per_mm": found.px_per_mm,
        "px_per_mm_across": found.across,
        "px_per_mm_down": found.down,
        "spread": found.spread,
        "scale_reason": found.reason,
    }
    if target is None or found.px_per_mm is None:
        return picture, fields
    factor = target / found.px_per_mm
    size = (round(picture.width * factor), round(picture.height * factor))
    if factor > _LARGEST_ENLARGEMENT:
        return picture, fields | {"scale_reason": f"would have to be enlarged {factor:.1f} times"}
    if min(size) < _SMALLEST_SIDE_PX:
        reason = f"would be only {size[0]} x {size[1]} pixels"
        return picture, fields | {"scale_reason": reason}
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return picture.resize(size, method), fields | {"resampled": factor}
