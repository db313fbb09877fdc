"""The mark of ECG paper in a spectrum: lines every millimetre, every fifth of them stronger."""

import dataclasses

import numpy as np
from jaxtyping import Float

from ecgmae_jax.scans.spectra import Ray

LINES_PER_SQUARE = 5
# Amplitudes over the floor: of the line at 1 mm, and of those at 5 mm over the valleys between.
_LEAST_AMPLITUDE = 8.0
_LEAST_PROMINENCE = 1.5
_LEAST_CONTRAST = 2.0
# Of the line of 1 mm. A grid of one kind of lines has less than this between them, from what else
# is on the sheet; grids of two kinds have 0.06 to 0.4.
_LEAST_SHARE = 0.06
# Of what is no line of the comb: by the strongest line of 5 mm, and by the line of 1 mm.
_MOST_STRAY = (0.6, 0.35)
_MOST_ALIAS = 0.85
_WIDTH = 1.2
_SAME = 0.02
# Below this frequency, in cycles per piece of the picture, a Hann window's main lobe is wider
# than the distance of the lines.
_LOWEST_CYCLES = 3.5


@dataclasses.dataclass(frozen=True)
class Comb:
    """Lines every `period_px` pixels, every fifth of them stronger; `strength` over the floor."""

    period_px: float
    strength: float


def find_comb(ray: Ray) -> Comb | None:
    """The strongest comb, five lines to the large square, that explains the spectrum, or None.

    The line of the small squares must stand out from its neighbours, which the strong lines of the
    large squares alone would not make it do; at least three of the four lines below it must be
    there; and nothing of weight may stand between them, as it would if the comb were taken for one
    two, three or five times as coarse or as fine as it is.
    """
    values = ray.values
    peaks = _peaks(values)
    found: list[tuple[float, float]] = []
    for index in map(int, peaks[values[peaks] >= _LEAST_AMPLITUDE]):
        place = _vertex(values, index)
        if place / LINES_PER_SQUARE < 2 * _LOWEST_CYCLES:
            continue
        if _is_comb(values, peaks, place):
            found.append((place, float(values[index])))
    # Lines of 25 mm make large squares look like small ones, whose own lines then are five times
    # as dense.
    places = np.array([place for place, _ in found])
    finest = [
        (strength, place)
        for place, strength in found
        if not np.any(np.abs(places / place / LINES_PER_SQUARE - 1) < _SAME)
    ]
    if not finest:
        return None
    strength, place = max(finest)
    return Comb(1 / (place * ray.step), strength)


def _is_comb(values: Float[np.ndarray, " f"], peaks: np.ndarray, place: float) -> bool:
    tooth = place / LINES_PER_SQUARE
    lines = np.array([_highest(values, k * tooth) for k in range(1, 7)])
    valleys = np.array([_lowest(values, (k + 0.5) * tooth) for k in range(5)])
    own = lines[4]
    if own < max(_LEAST_PROMINENCE * np.nanmax(lines[[3, 5]]), lines[:4].max()):
        return False
    contrast = lines[:4] / np.sqrt(valleys[:4] * valleys[1:])
    if ((contrast > _LEAST_CONTRAST) & (lines[:4] > _LEAST_SHARE * own)).sum() < 3:
        return False
    others = peaks[peaks > 2 * _LOWEST_CYCLES]
    width = max(_WIDTH, 0.12 * tooth)
    off = np.abs(others - tooth * np.rint(others / tooth)) > width
    folded = np.abs(others[:, None] - _folded(place, len(values))).min(axis=1) <= width
    stray, alias = (values[others[off & kind]].max(initial=0) for kind in (~folded, folded))
    large, small = _MOST_STRAY
    return bool(stray < max(large * lines[:4].max(), small * own) and alias < _MOST_ALIAS * own)


def _folded(place: float, num_values: int) -> Float[np.ndarray, " m"]:
    """Where harmonics beyond half a cycle per pixel appear: in drawings, and nearest-pixel scans.

    Lines that are one pixel wide have as many harmonics as there is room for, and more.
    """
    cycle = 2 * num_values
    multiples = np.arange(2, 7) * place % cycle
    return np.minimum(multiples, cycle - multiples)


def _peaks(values: np.ndarray) -> np.ndarray:
    inner = values[1:-1]
    return np.flatnonzero((inner > values[:-2]) & (inner >= values[2:])) + 1


def _vertex(values: np.ndarray, index: int) -> float:
    """Where the parabola through the logarithms around a peak has its top."""
    left, top, right = np.log(values[index - 1 : index + 2])
    return float(index + 0.5 * (left - right) / (left - 2 * top + right))


def _highest(values: np.ndarray, place: float) -> float:
    around = values[int(place) - 1 : int(place) + 3]
    return float(around.max()) if place + 2 < len(values) else np.nan


def _lowest(values: np.ndarray, place: float) -> float:
    return float(values[int(place) - 1 : int(place) + 3].min())
