"""A scan cropped to its page, put straight, made flat, its scale measured or made a wanted one."""

import dataclasses
from collections.abc import Callable
from typing import Any

from PIL import Image

from ecgmae_jax.errors import InputError
from ecgmae_jax.scans.accounts import NOT_ASKED, SMALLEST_SKEW_DEG, Account
from ecgmae_jax.scans.deskew import skew_of, straighten
from ecgmae_jax.scans.flattening import flatten
from ecgmae_jax.scans.grid_scale import GridScale, grid_scale
from ecgmae_jax.scans.page import Page, box_of, find_page

_LARGEST_ENLARGEMENT = 2.0
_SMALLEST_SIDE_PX = 32


@dataclasses.dataclass(frozen=True)
class Steps:
    """Which steps to take: crop to the page, put straight, measure the scale, make flat."""

    crop: bool
    deskew: bool
    scale: bool
    flatten: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Normalised:
    """A scan after the steps.

    Attributes:
        picture: the page.
        account: of the steps.
        px_per_mm: of `picture`; None if unknown.
        at_target: whether that is the wanted one.
    """

    picture: Image.Image
    account: Account
    px_per_mm: float | None
    at_target: bool


def normalise(
    picture: Image.Image,
    *,
    steps: Steps,
    target_px_per_mm: float | None,
    expected_px_per_mm: float | None = None,
    cover: Callable[[Image.Image, float | None], Image.Image] | None = None,
) -> Normalised:
    """The scan after the steps. Whatever cannot be told with certainty is left as it is.

    Args:
        picture: mode L or RGB, upright.
        steps: those to take.
        target_px_per_mm: the scale to give the scan, where its own is found; None to measure only.
        expected_px_per_mm: about what the scan has, for `flatten` where its grid does not tell.
        cover: paints over the page, given its px/mm or None, once it is cropped, straight and
            measured: where masks lie must not depend on how bent a page is.

    Raises:
        InputError: for a target or the step `flatten` without the step `scale`, or a target that is
            no positive number.
    """
    _check(steps, target_px_per_mm)
    size = picture.size
    picture, fields = _on_its_page(picture, steps)
    found = grid_scale(picture) if steps.scale else GridScale(None, reason=NOT_ASKED)
    fields |= {
        "px_per_mm": found.px_per_mm,
        "px_per_mm_across": found.across,
        "px_per_mm_down": found.down,
        "spread": found.spread,
        "scale_reason": found.reason,
    }
    px_per_mm = found.px_per_mm
    if cover is not None:
        picture = cover(picture, px_per_mm)
    if steps.flatten:
        known = (found.across, found.down) if px_per_mm else None
        flat = flatten(picture, px_per_mm=known, expected_px_per_mm=expected_px_per_mm)
        picture, px_per_mm = flat.picture, flat.px_per_mm or px_per_mm
        fields |= {
            "bend_mm": flat.bend_mm,
            "flat_px_per_mm": flat.px_per_mm,
            "flatten_reason": flat.reason,
        }
    if target_px_per_mm is None or px_per_mm is None:
        return Normalised(picture, Account(size, **fields), px_per_mm, at_target=False)
    picture, resampled = _resampled(picture, target_px_per_mm / px_per_mm)
    account = Account(size, **fields | resampled)
    return Normalised(picture, account, px_per_mm * account.resampled, "resampled" in resampled)


def _check(steps: Steps, target: float | None) -> None:
    if target is not None and not (steps.scale and target > 0):
        raise InputError(
            f"a target of {target} px/mm: expected a positive number, and the step "
            "`scale`, which finds out what a scan has"
        )
    if steps.flatten and not steps.scale:
        raise InputError(
            "the step `flatten` follows the lines of a grid that the step `scale` finds: take "
            "both, or neither"
        )


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


def _resampled(picture: Image.Image, factor: float) -> tuple[Image.Image, dict[str, Any]]:
    """The scan scaled by the factor if possible, and the fields of the account about it."""
    size = (round(picture.width * factor), round(picture.height * factor))
    if factor > _LARGEST_ENLARGEMENT:
        return picture, {"scale_reason": f"would have to be enlarged {factor:.1f} times"}
    if min(size) < _SMALLEST_SIDE_PX:
        return picture, {"scale_reason": f"would be only {size[0]} x {size[1]} pixels"}
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return picture.resize(size, method), {"resampled": factor}
