"""Attribution maps in the words of the reader: which lead, which second."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

# Name of what lies beside all strips: margins, header, calibration pulses.
OUTSIDE = "outside"
Place = tuple[str, int | None]


def positive_shares(values: Float[np.ndarray, "b n"]) -> Float64[np.ndarray, "b n"]:
    """What speaks for the class, as shares of an image: negative attributions are left out.

    An image in which nothing speaks for it has zeros.
    """
    positive = np.maximum(values.astype(np.float64), 0)
    total = positive.sum(axis=1, keepdims=True)
    return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)


def lead_second_shares(
    shares: Float[np.ndarray, "b n"], picture: Mapping[str, Any], *, grid: tuple[int, int]
) -> tuple[list[Place], Float64[np.ndarray, "b m"]]:
    """Shares of the patches as shares of leads and their seconds.

    A patch counts for what it covers, by area. A lead that is printed twice, as in a rhythm strip,
    is counted in both places.

    Args:
        picture: `Sheet.as_dict()` of the pictures; without `strips` everything is outside.
        grid: rows and columns of patches, row by row in `shares`.

    Returns:
        Each place, a lead with the second of the recording that begins there, and last everything
        outside; and its share in each image.
    """
    covered: dict[Place, np.ndarray] = {}
    # Down the columns: that is the usual order of the leads.
    for strip in sorted(picture.get("strips", ()), key=lambda one: (one["x_mm"], one["row"])):
        for second, patches in _seconds_of(strip, picture, grid=grid):
            place = (strip["lead"], second)
            covered[place] = covered.get(place, 0) + patches
    leads = list(dict.fromkeys(lead for lead, _ in covered))
    places = sorted(covered, key=lambda place: (leads.index(place[0]), place[1]))
    inside = shares @ np.stack([covered[place] for place in places], 1) if places else shares[:, :0]
    outside = shares.sum(axis=1, keepdims=True) - inside.sum(axis=1, keepdims=True)
    return [*places, (OUTSIDE, None)], np.concatenate([inside, np.maximum(outside, 0)], axis=1)


def strip_shares(
    shares: Float[np.ndarray, " n"], picture: Mapping[str, Any], *, grid: tuple[int, int]
) -> list[float]:
    """The share of each strip of the picture, in their order."""
    return [
        float(sum(shares @ patches for _, patches in _seconds_of(strip, picture, grid=grid)))
        for strip in picture.get("strips", ())
    ]


def _seconds_of(
    strip: Mapping[str, Any], picture: Mapping[str, Any], *, grid: tuple[int, int]
) -> list[tuple[int, Float64[np.ndarray, " n"]]]:
    """For every second of a strip the part of each patch that it covers."""
    row_mm, column_mm = (
        size / picture["px_per_mm"] / count
        for size, count in zip((picture["height"], picture["width"]), grid, strict=True)
    )
    top_mm = strip["baseline_mm"] - strip["row_height_mm"] / 2
    rows = _overlap(top_mm, top_mm + strip["row_height_mm"], count=grid[0], size=row_mm)
    start_s, mm_per_s = strip["start_s"], strip["width_mm"] / strip["duration_s"]
    end_s = start_s + strip["duration_s"]
    found = []
    # Thirds of seconds do not add up to whole ones.
    for second in range(math.floor(start_s + 1e-6), math.ceil(end_s - 1e-6)):
        left_mm, right_mm = (
            strip["x_mm"] + (min(max(time, start_s), end_s) - start_s) * mm_per_s
            for time in (second, second + 1)
        )
        columns = _overlap(left_mm, right_mm, count=grid[1], size=column_mm)
        found.append((second, np.outer(rows, columns).reshape(-1)))
    return found


def _overlap(start: float, stop: float, *, count: int, size: float) -> Float64[np.ndarray, " m"]:
    """The part of each of `count` cells of a size that lies between two places."""
    edges = np.arange(count + 1) * size
    covered = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
    return np.clip(covered, 0, None) / size
