"""Where the page lies on a desk or under a scanner's lid."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image, ImageFilter
from scipy import ndimage
from scipy.spatial import ConvexHull

_SIDE_PX = 320
_FILTER_PX = 5
# Brightness against the middle of the page. Colour is no criterion: grids are printed on margins of
# another colour, and traces run into these.
_DARK = 0.55
# Shadows end softly, pages end within two of the small picture's pixels.
_SHARP = 0.6
_SMALLEST_BORDER = 0.005
_SMALLEST_PAGE = 0.3
_CONVEX = 0.93
# Of the fullest row, so that a page in perspective keeps all of its corners.
_PART_OF_PAGE = 0.1
_LEAST_CUT = 0.01

Box = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Page:
    """The page in a picture.

    Attributes:
        mask: mode L, white where the page is, smaller than the picture; None if it has no border.
        reason: why there is none; empty otherwise.
    """

    mask: Image.Image | None
    reason: str = ""


def find_page(picture: Image.Image) -> Page:
    """The page, where something dark clearly surrounds it or runs along one of its sides.

    Dark regions that touch the edge of the picture are taken for what lies around the page if they
    end sharply and leave a convex page; a shadow does not.

    Args:
        picture: mode L or RGB.
    """
    small = picture.convert("RGB")
    small.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    # Ink and grid are finer than the filter, pages and borders are not.
    pixels = np.asarray(small.filter(ImageFilter.MaxFilter(_FILTER_PX)), np.float32)
    outside = _touching_edge(_darker_than_middle(pixels))
    if outside.mean() < _SMALLEST_BORDER:
        return Page(None, "no border found")
    # As far as the filter has moved the edge outwards.
    inside = ~ndimage.binary_dilation(outside, iterations=_FILTER_PX // 2)
    labels, _ = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())[1:]
    if not sizes.size or sizes.max() < _SMALLEST_PAGE * inside.size:
        return Page(None, "what is darker than the middle leaves no page")
    page = labels == 1 + sizes.argmax()
    if not _ends_sharply(pixels, outside):
        return Page(None, "what is darker than the middle has no sharp edge")
    if page.sum() < _CONVEX * _hull_area(page):
        return Page(None, "what is darker than the middle leaves no convex page")
    return Page(Image.fromarray(np.uint8(255) * page))


def box_of(mask: Image.Image, *, size: tuple[int, int]) -> Box | None:
    """Left, top, right and bottom of the page in a picture of that size; None if that is all."""
    page = np.asarray(mask) > 127
    box = []
    for axis, length in ((0, size[0]), (1, size[1])):
        filled = page.sum(axis=axis)
        part = np.flatnonzero(filled > _PART_OF_PAGE * filled.max())
        scale = length / len(filled)
        box.append((round(part[0] * scale), round((part[-1] + 1) * scale), length))
    cut = [1 - (last - first) / length for first, last, length in box]
    if max(cut) < _LEAST_CUT:
        return None
    (left, right, _), (top, bottom, _) = box
    return left, top, right, bottom


def _darker_than_middle(pixels: Float32[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    height, width, _ = pixels.shape
    middle = pixels[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None]
    paper = np.maximum(np.median(middle.reshape(-1, 3), axis=0), 1)
    return pixels.sum(axis=-1) < _DARK * paper.sum()


def _touching_edge(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    opened = ndimage.binary_opening(np.pad(mask, 3, mode="edge"), iterations=2)[3:-3, 3:-3]
    labels, _ = ndimage.label(opened)
    edge = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    return np.isin(labels, np.setdiff1d(edge, [0]))


def _ends_sharply(pixels: Float32[np.ndarray, "h w 3"], outside: Bool[np.ndarray, "h w"]) -> bool:
    """Whether the colours just outside and just inside differ as the two regions do."""
    near_in = ndimage.binary_dilation(outside, iterations=4) & ~ndimage.binary_dilation(
        outside, iterations=2
    )
    near_out = outside & ~ndimage.binary_erosion(outside, iterations=4, border_value=1)
    far_in = ~ndimage.binary_dilation(outside, iterations=4)
    if not (near_in.any() and near_out.any() and far_in.any()):
        return False
    out = np.median(pixels[outside], axis=0)
    whole = np.abs(out - np.median(pixels[far_in], axis=0)).max()
    step = np.abs(np.median(pixels[near_out], axis=0) - np.median(pixels[near_in], axis=0)).max()
    return bool(step > _SHARP * whole)


def _hull_area(mask: Bool[np.ndarray, "h w"]) -> float:
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask.argmax(axis=1)[rows]
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)[rows]
    corners = [
        (row + d, x)
        for row, a, b in zip(rows, first, last, strict=True)
        for d in (0, 1)
        for x in (a, b + 1)
    ]
    return float(ConvexHull(np.array(corners)).volume)
