"""Pixels per millimetre of a scan, from its grid; where the grid does not tell, nobody guesses."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from ecgmae_jax.scans.combs import LINES_PER_SQUARE, Comb, find_comb
from ecgmae_jax.scans.layers import printed_layers, without_ink
from ecgmae_jax.scans.spectra import rays_of

_LONGEST_PX = 2400
_SHORTEST_PX = 500
_PIECE_PX = 256
_SMALLEST_PIECE_PX = 96
_MOST_PIECES = 20
# Pieces of a photograph taken at an angle differ; those of a wrong reading differ by 1.5 or more.
_SAME_SCALE = 0.2
_LEAST_PIECES = 0.25
_LEAST_AGREEMENT = 0.75
_LARGEST_DIFFERENCE = 0.1
# Longest side of a scan, in paper. Lines of 5 and 25 mm alone look like those of 1 and 5 mm, and
# make a page of up to 450 mm, which is longer than A3, shorter than the first of these.
_PLAUSIBLE_MM = (90.0, 600.0)
_NOTHING = "no lines of 1 mm and of 5 mm"


@dataclasses.dataclass(frozen=True)
class GridScale:
    """The scale of a scan.

    Attributes:
        px_per_mm: one figure for both directions; None unless the grid is found in both, and alike.
        across: px/mm from left to right, median of the pieces; None unless both are found.
        down: px/mm from top to bottom.
        spread: (largest - smallest) / median among nine tenths of the pieces, the larger of both
            directions: perspective, where it is not small.
        reason: why px_per_mm is None; empty otherwise.
    """

    px_per_mm: float | None
    across: float | None = None
    down: float | None = None
    spread: float | None = None
    reason: str = ""


def grid_scale(picture: Image.Image) -> GridScale:
    """The scale that the grid of a scan shows, turned by up to 15 degrees or straight.

    Pieces of the picture vote. A piece votes only where its spectrum has the lines of 1 mm and, by
    every fifth of them being stronger, those of 5 mm: a grid of one kind of lines has no scale.

    Args:
        picture: mode L, or RGB, where coloured grids are found more surely.
    """
    longest = max(picture.size)
    side = min(longest, _LONGEST_PX)
    before: list[float] = []
    best = GridScale(None, reason=_NOTHING)
    while side >= min(longest, _SHORTEST_PX):
        votes, num_pieces = _votes(picture, side / longest)
        found = _scale_of(votes, num_pieces)
        if found.px_per_mm is not None:
            return _if_certain(found, before, longest)
        if best.reason == _NOTHING:
            best = found
        # What small pieces cannot see as a whole, pieces of a smaller picture may.
        before += [*votes[0], *votes[1]]
        side //= 2
    return best


def _scale_of(votes: tuple[list[float], list[float]], num_pieces: int) -> GridScale:
    (across, wide), (down, high) = (_agreed(some, num_pieces) for some in votes)
    if across is None or down is None:
        names = {(True, False): "from left to right", (False, True): "from top to bottom"}
        where = names.get((across is not None, down is not None))
        return GridScale(None, reason=f"found {where} only" if where else _NOTHING)
    spread = max(wide, high)
    if abs(math.log(across / down)) > _LARGEST_DIFFERENCE:
        return GridScale(None, across, down, spread, "not the same across and down")
    return GridScale(math.sqrt(across * down), across, down, spread)


def _votes(picture: Image.Image, reduction: float) -> tuple[tuple[list[float], list[float]], int]:
    """Periods in pixels by the pieces that have one, across and down; the number of pieces."""
    small = picture.convert("RGB")
    if reduction < 1:
        size = [max(1, round(length * reduction)) for length in picture.size]
        small = small.resize(size, Image.Resampling.BOX)
    luminance, colour = printed_layers(np.asarray(small))
    layers = (luminance,) if picture.mode == "L" else (luminance, colour)
    across: list[float] = []
    down: list[float] = []
    num_pieces = 0
    for piece in _pieces(*luminance.shape):
        num_pieces += 1
        rays = [rays_of(without_ink(layer[piece])) for layer in layers]
        for votes, direction in ((across, 0), (down, 1)):
            combs = [comb for ray in rays if (comb := find_comb(ray[direction])) is not None]
            if combs:
                votes.append(_of_layers(combs).period_px / reduction)
    return (across, down), num_pieces


def _of_layers(combs: Sequence[Comb]) -> Comb:
    """The stronger one, unless the other has its lines between those of this one."""
    fine, coarse = min(combs, key=_period), max(combs, key=_period)
    if abs(math.log(coarse.period_px / fine.period_px / LINES_PER_SQUARE)) < _SAME_SCALE:
        return fine
    return max(combs, key=lambda comb: comb.strength)


def _period(comb: Comb) -> float:
    return comb.period_px


def _agreed(votes: Sequence[float], num_pieces: int) -> tuple[float | None, float]:
    """The median of votes that agree, and their spread; None without enough of them."""
    if not votes:
        return None, 0.0
    periods = np.array(votes)
    like = periods[np.abs(np.log(periods / np.median(periods))) < _SAME_SCALE]
    if len(like) < max(_LEAST_AGREEMENT * len(periods), _LEAST_PIECES * num_pieces):
        return None, 0.0
    low, middle, high = np.percentile(like, (5, 50, 95))
    return float(middle), float((high - low) / middle)


def _if_certain(found: GridScale, before: Sequence[float], longest: int) -> GridScale:
    """The scale, withdrawn where larger versions of the picture or its size speak against it."""
    px_per_mm = found.px_per_mm or math.nan
    others = [vote for vote in before if abs(math.log(vote / px_per_mm)) > _SAME_SCALE]
    length_mm = longest / px_per_mm
    low, high = _PLAUSIBLE_MM
    if len(others) > 1:
        reason = f"{px_per_mm:.2f} or {np.median(others):.2f} px/mm, which is not certain"
    elif not low <= length_mm <= high:
        reason = f"its lines would make the picture {length_mm:.0f} mm long"
    else:
        return found
    return GridScale(None, reason=reason)


def _pieces(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Squares spread evenly over a picture, overlapping by about a third."""
    side = min(_PIECE_PX, height, width)
    if side < _SMALLEST_PIECE_PX:
        return
    rows, columns = (1 + round((length - side) * 1.5 / side) for length in (height, width))
    thinned = max(1.0, math.sqrt(rows * columns / _MOST_PIECES))
    for top in np.linspace(0, height - side, max(1, int(rows / thinned))):
        for left in np.linspace(0, width - side, max(1, int(columns / thinned))):
            y, x = int(top), int(left)
            yield slice(y, y + side), slice(x, x + side)
