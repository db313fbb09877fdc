"""A page made flat: perspective, curl and what is left of its turn are undone along its grid."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.scans.bent_sheet import BentSheet
from ecgmae_jax.scans.lattice import Coordinate, loudness, read_coordinate
from ecgmae_jax.scans.layers import ink_filled, printed_layers

# Lines of 5 mm are ten pixels apart at this; finer pictures are reduced to find them.
_PX_PER_MM = 2.0
# Drawn scans and photographs with lines have 0.79 or more, published ones 0.84; those without 0.57
# or less.
_LEAST_COHERENCE = 0.7
# Of paper: less has too few lines, and none is so long.
_FEWEST_MM, _MOST_MM = 40.0, 1_500.0
# A flatter page is left as it is: resampling costs sharpness.
SMALLEST_BEND_MM = 1.0
# Margins, a desk around the page and another size of paper change the scale by so much.
_AROUND_EXPECTED = np.geomspace(0.7, 1.4, 9)


@dataclasses.dataclass(frozen=True, eq=False)
class Flattened:
    """A page after flattening.

    Attributes:
        picture: flat, or as it came.
        px_per_mm: of `picture`, along its grid; None where that was not followed.
        bend_mm: the farthest that a point of the page lay from its place on a flat one.
        reason: why the picture is as it came; empty otherwise.
    """

    picture: Image.Image
    px_per_mm: float | None = None
    bend_mm: float | None = None
    reason: str = ""


def flatten(
    picture: Image.Image,
    *,
    px_per_mm: tuple[float, float] | None,
    expected_px_per_mm: float | None = None,
) -> Flattened:
    """The page with the lines of its grid straight, square and evenly apart.

    Args:
        picture: mode L or RGB, turned by no more than some 10 degrees.
        px_per_mm: across and down, as `grid_scale` found them; None where it did not.
        expected_px_per_mm: what takes their place then; lines of 5 mm are looked for at 0.7 to 1.4
            times this scale.
    """
    sheet = read_sheet(picture, px_per_mm=px_per_mm, expected_px_per_mm=expected_px_per_mm)
    if isinstance(sheet, str):
        return Flattened(picture, reason=sheet)
    bend_mm = sheet.bend_mm
    if bend_mm < SMALLEST_BEND_MM:
        return Flattened(picture, sheet.px_per_mm, bend_mm, "it is flat")
    return Flattened(sheet.picture_of(picture), sheet.px_per_mm, bend_mm)


def read_sheet(
    picture: Image.Image,
    *,
    px_per_mm: tuple[float, float] | None,
    expected_px_per_mm: float | None,
) -> BentSheet | str:
    """The sheet that a picture shows, or why it cannot be told; see `flatten`."""
    if px_per_mm is None and expected_px_per_mm is None:
        return "nothing tells which of its lines are 5 mm apart"
    scale = max(px_per_mm) if px_per_mm else expected_px_per_mm
    if not _FEWEST_MM < min(picture.size) / scale < max(picture.size) / scale < _MOST_MM:
        return f"at {scale:.2f} px/mm it would not be a sheet"
    sheet = BentSheet(*_coordinates(picture, px_per_mm, expected_px_per_mm), picture.size)
    coherence = min(sheet.across.coherence, sheet.down.coherence)
    if coherence < _LEAST_COHERENCE:
        return f"its lines cannot be followed ({coherence:.2f})"
    if not sheet.is_possible:
        return "what was taken for its lines makes no sheet"
    return sheet


def _coordinates(
    picture: Image.Image, px_per_mm: tuple[float, float] | None, expected: float | None
) -> list[Coordinate]:
    """Across and down, each from the layer of the picture that shows it best."""
    reduction = min(1.0, _PX_PER_MM / (max(px_per_mm) if px_per_mm else expected))
    small = picture.convert("RGB")
    if reduction < 1:
        size = [round(length * reduction) for length in picture.size]
        small = small.resize(size, Image.Resampling.BOX)
    layers = [ink_filled(layer) for layer in printed_layers(np.asarray(small))]
    layers = layers[: 1 if picture.mode == "L" else 2]
    if px_per_mm is None:
        px_per_mm = 2 * (_loudest_scale(layers, expected * reduction) / reduction,)
    return [
        read_coordinate(layers, px_per_mm=scale * reduction, axis=axis)
        for scale, axis in zip(px_per_mm, (1, 0), strict=True)
    ]


def _loudest_scale(layers: Sequence[Float32[np.ndarray, "h w"]], expected: float) -> float:
    """The px/mm near the expected at which there are most lines of 5 mm both ways."""

    def both(px_per_mm: float) -> float:
        # Moire has lines one way only.
        ways = [[loudness(layer, px_per_mm=px_per_mm, axis=a) for layer in layers] for a in (0, 1)]
        return math.prod(map(sum, ways))

    return float(max(expected * _AROUND_EXPECTED, key=both))
