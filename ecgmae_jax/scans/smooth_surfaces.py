"""Smooth surfaces over a picture: Chebyshev polynomials that bend no more than they must."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.polynomial import chebyshev

# Curled once to and fro from one side to the other, a page is followed to within 0.2 mm.
_DEGREE = 7
_DEGREES = np.add.outer(np.arange(_DEGREE + 1), np.arange(_DEGREE + 1))
# The height of a surface is left as it is.
_TERMS = np.nonzero((_DEGREES > 0) & (_DEGREES <= _DEGREE))
# So that a stiffness of 1 is that of a page that hardly bends.
_BENDING_OF_CELLS = 625.0
_RIDGE = 1e-6
_NO_WEIGHT = 1e-6

Coefficients = Float[np.ndarray, "d d"]


class Equations(NamedTuple):
    """What a surface should be at places in rows and columns, or the difference of two places.

    Attributes:
        rows: polynomials of the place down (m, d), or their differences.
        columns: the same across.
        values: of the surface.
        weights: how surely.
    """

    rows: Float[np.ndarray, "m d"]
    columns: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, "m n"]
    weights: Float[np.ndarray, "m n"]

    def off(self, surface: Coefficients) -> Float[np.ndarray, "m n"]:
        """By how much the values are missed."""
        return self.values - self.rows @ surface @ self.columns.T


def polynomials(num: int, *, length: int) -> Float[np.ndarray, "n d"]:
    """Chebyshev polynomials in the middles of `num` pixels of a side, -1 to 1 over its length."""
    return chebyshev.chebvander((np.arange(num) + 0.5) / length * 2 - 1, _DEGREE)


def plane(*, down: float = 0.0, across: float = 0.0) -> Coefficients:
    """The surface with these slopes."""
    surface = np.zeros((_DEGREE + 1, _DEGREE + 1))
    surface[1, 0], surface[0, 1] = down, across
    return surface


def bending_of(
    rows: Float[np.ndarray, "m d"], columns: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, "t t"]:
    """Mean of the squared second differences over all places, as a form of the coefficients."""
    total = 0.0
    for down, across in ((2, 0), (1, 1), (0, 2)):
        y, x = np.diff(rows, down, axis=0), np.diff(columns, across, axis=0)
        y, x = y.T @ y / len(y), x.T @ x / len(x)
        total += _by_terms(y[:, None, :, None] * x[None, :, None, :])
    return total * _BENDING_OF_CELLS


def changed(
    surface: Coefficients,
    equations: list[Equations],
    *,
    bending: Float[np.ndarray, "t t"],
    stiffness: float,
) -> Coefficients:
    """What to add to a surface by least squares, so that the sum bends no more than it must.

    Products stay small: threads of linear algebra, in each of some worker processes, would take
    longer to wait for each other than to compute.
    """
    matrix, right, total = 0.0, 0.0, _NO_WEIGHT
    for rows, columns, values, weights in equations:
        pairs = [some[:, :, None] * some[:, None] for some in (rows, columns)]
        by_row, by_column = (some.reshape(len(some), -1) for some in pairs)
        products = (by_row.T @ (weights @ by_column)).reshape(4 * (_DEGREE + 1,))
        matrix += _by_terms(products.transpose(0, 2, 1, 3))
        right += (rows.T @ (weights * values) @ columns)[_TERMS]
        total += float(weights.sum())
    resistance = total * stiffness * bending
    right -= resistance @ surface[_TERMS]
    change = np.zeros_like(surface)
    ridge = total * _RIDGE * np.eye(len(bending))
    change[_TERMS] = np.linalg.solve(matrix + resistance + ridge, right)
    return change


def _by_terms(form: Float[np.ndarray, "d d d d"]) -> Float[np.ndarray, "t t"]:
    """A form of whole squares of coefficients, of those that are used alone."""
    used = np.ravel_multi_index(_TERMS, (_DEGREE + 1, _DEGREE + 1))
    return form.reshape((_DEGREE + 1) ** 2, -1)[np.ix_(used, used)]
