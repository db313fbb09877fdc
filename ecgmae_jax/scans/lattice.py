"""Where every point of a page lies on its grid, read off the phase of the lines of 5 mm.

A photographed page is turned, seen at an angle and curled, and still carries its own ruler. As in
the analysis of fringes (Takeda et al., J. Opt. Soc. Am. 72, 1982), a layer of it is multiplied
by the wave that its grid would be if the page were flat; smoothed, the product's phase says by how
much the page departs from that, everywhere.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
from numpy.polynomial import chebyshev

from ecgmae_jax.scans.grid_phases import GridPhases, coherence, plainness
from ecgmae_jax.scans.smooth_surfaces import Coefficients, plane

# Narrow at first, where lines a fifth denser than expected are still heard; then wide and sure.
_WIDTHS_MM = (3.0, 3.0, 5.0, 5.0)
_LAST_WIDTH_MM = 6.0
_NUM_LAST = 2
# A page bends little from cell to cell, above all where nothing is seen of its grid: the stiffest
# sheet that explains the phases nearly as well as the softest.
_STIFFNESSES = (1.0, 0.1, 0.01)
_AS_GOOD = 0.985


@dataclasses.dataclass(frozen=True, eq=False)
class Coordinate:
    """A coordinate along the grid in mm, as a polynomial of the place on the picture.

    Attributes:
        coefficients: of products of Chebyshev polynomials in y and in x, both -1 to 1 over the
            picture; in mm.
        coherence: of the phases that the lines have against a first, rough reading: 1 if that
            follows them, below 0.6 where there are none.
        plainness: of the grid in equal parts of the picture, 1 where it is as plain as in most.
    """

    coefficients: Float[np.ndarray, "i j"]
    coherence: float
    plainness: Float[np.ndarray, "m n"]

    def at(self, y: Float[np.ndarray, "*n"], x: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """In mm, at places -1 to 1 down and across."""
        return chebyshev.chebval2d(y, x, self.coefficients)

    def slopes(
        self, y: Float[np.ndarray, "*n"], x: Float[np.ndarray, "*n"]
    ) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
        """Its derivatives down and across, in mm for half a picture."""
        down, across = (chebyshev.chebder(self.coefficients, axis=axis) for axis in (0, 1))
        return chebyshev.chebval2d(y, x, down), chebyshev.chebval2d(y, x, across)


def read_coordinate(
    layers: Sequence[Float32[np.ndarray, "h w"]], *, px_per_mm: float, axis: int
) -> Coordinate:
    """The coordinate down (axis 0) or across (axis 1) a picture, 0 near its middle.

    Args:
        layers: of what is printed, without its ink, see `layers`; the one that shows the grid best
            counts. The grid straight within some 10 degrees.
        px_per_mm: along the axis, right within a fifth everywhere.
        axis: 0 or 1.
    """
    readings = [_roughly(layer, px_per_mm, axis) for layer in layers]
    phases, found, certainty = max(readings, key=lambda reading: reading[-1])
    for _ in range(_NUM_LAST):
        found = phases.by_phases(found, phases.heard(found, width_mm=_LAST_WIDTH_MM))
    heard = phases.heard(found, width_mm=_LAST_WIDTH_MM)
    least = _AS_GOOD * coherence(heard)
    for stiffness in _STIFFNESSES:
        stiff = phases.by_phases(found, heard, stiffness=stiffness)
        if coherence(phases.heard(stiff, width_mm=_LAST_WIDTH_MM)) >= least:
            return Coordinate(stiff, certainty, plainness(heard))
    return Coordinate(found, certainty, plainness(heard))


def loudness(layer: Float32[np.ndarray, "h w"], *, px_per_mm: float, axis: int) -> float:
    """How much a picture has of lines of 5 mm at that scale, within a tenth."""
    phases = GridPhases.of(layer, px_per_mm=px_per_mm)
    heard = phases.heard(_flat(layer, px_per_mm, axis), width_mm=_WIDTHS_MM[0])
    return float(np.abs(heard).mean())


def _roughly(
    layer: Float32[np.ndarray, "h w"], px_per_mm: float, axis: int
) -> tuple[GridPhases, Coefficients, float]:
    """The layer's cells, the coordinate they show within half a square, and its coherence."""
    phases, found = GridPhases.of(layer, px_per_mm=px_per_mm), _flat(layer, px_per_mm, axis)
    for width_mm in _WIDTHS_MM:
        found = phases.by_slopes(found, phases.heard(found, width_mm=width_mm))
    return phases, found, coherence(phases.heard(found, width_mm=_LAST_WIDTH_MM))


def _flat(layer: Float32[np.ndarray, "h w"], px_per_mm: float, axis: int) -> Coefficients:
    half_mm = layer.shape[axis] / px_per_mm / 2
    return plane(down=half_mm) if axis == 0 else plane(across=half_mm)
