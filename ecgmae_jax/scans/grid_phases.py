"""The phase of a grid's lines against where a surface has them, all over a picture."""

import dataclasses

import numpy as np
from jaxtyping import Complex, Float, Float32
from scipy import ndimage

from ecgmae_jax.scans.smooth_surfaces import (
    Coefficients,
    Equations,
    bending_of,
    changed,
    polynomials,
)

SQUARE_MM = 5.0
_PER_RAD = SQUARE_MM / (2 * np.pi)
_CELL_MM = 2.5
# Smoothed, every second cell says all.
_EVERY = 2
_LIGHT_MM = 7.5
# Of cells: the loudest tell no more than these, or a stamp would outweigh the page.
_LOUD_PERCENTILE = 60
_DISAGREEING_RAD = 0.2
_SOFTEST = 0.001
_SILENCE = 1e-6

Heard = Complex[np.ndarray, "m n"]


@dataclasses.dataclass(frozen=True, eq=False)
class GridPhases:
    """A layer of a picture cut into square cells of 2.5 mm.

    Attributes:
        layer: without what is slower than lines of 5 mm.
        side: of a cell, in pixels.
        per_mm: cells to the millimetre.
        pixels: polynomials down and across on the layer's pixels.
        rows: the same down, on every second cell.
        columns: the same across.
        bending: see `bending_of`.
    """

    layer: Float32[np.ndarray, "h w"]
    side: int
    per_mm: float
    pixels: tuple[Float[np.ndarray, "_ d"], Float[np.ndarray, "_ d"]]
    rows: Float[np.ndarray, "m d"]
    columns: Float[np.ndarray, "n d"]
    bending: Float[np.ndarray, "t t"]

    @classmethod
    def of(cls, layer: Float32[np.ndarray, "h w"], *, px_per_mm: float) -> "GridPhases":
        """Of a layer whose scale is this within a fifth."""
        side = max(1, round(_CELL_MM * px_per_mm))
        light = ndimage.uniform_filter(layer, round(_LIGHT_MM * px_per_mm))
        whole = [length // side * side for length in layer.shape]
        pixels = tuple(
            polynomials(n, length=length) for n, length in zip(whole, layer.shape, strict=True)
        )
        cells = [
            some.reshape(len(some) // side, side, -1).mean(axis=1)[::_EVERY] for some in pixels
        ]
        kept = (layer - light)[: whole[0], : whole[1]]
        return cls(kept, side, px_per_mm / side, pixels, *cells, bending_of(*cells))

    def heard(self, surface: Coefficients, *, width_mm: float) -> Heard:
        """Amplitude and phase of lines of 5 mm against a surface, averaged over a width."""
        rows, columns = self.pixels
        across = surface @ columns.T / _PER_RAD
        # A stack of small products, see `changed`.
        phase = rows.reshape(len(rows) // self.side, self.side, -1) @ across
        phase = phase.astype(np.float32).reshape(self.layer.shape)
        sigma = width_mm * self.per_mm
        real, imaginary = (
            ndimage.gaussian_filter(_by_cell(self.layer * wave, self.side), sigma, mode="constant")
            for wave in (np.cos(phase), -np.sin(phase))
        )
        return (real + 1j * imaginary)[::_EVERY, ::_EVERY]

    def by_slopes(self, surface: Coefficients, heard: Heard) -> Coefficients:
        """The surface that the phases' differences from cell to cell ask for; they may wrap."""
        weights = plainness(heard)
        equations = [
            Equations(
                rows,
                columns,
                np.angle(heard[b] * heard[a].conj()),
                np.minimum(weights[a], weights[b]),
            )
            for a, b, rows, columns in (
                (np.s_[:-1], np.s_[1:], np.diff(self.rows, axis=0), self.columns),
                (np.s_[:, :-1], np.s_[:, 1:], self.rows, np.diff(self.columns, axis=0)),
            )
        ]
        change = np.zeros_like(surface)
        for softened in (np.inf, _DISAGREEING_RAD, _DISAGREEING_RAD):
            agreeing = [
                e._replace(weights=e.weights / (1 + (e.off(change) / softened) ** 2))
                for e in equations
            ]
            change = self._changed(surface, agreeing, _SOFTEST)
        return surface + change * _PER_RAD

    def by_phases(
        self, surface: Coefficients, heard: Heard, *, stiffness: float = _SOFTEST
    ) -> Coefficients:
        """The surface that the phases themselves ask for, once they do not wrap."""
        weights = plainness(heard)
        phases = np.angle(heard * _mean(heard).conjugate())
        agreeing = weights * np.cos(phases / 2) ** 4
        equations = [Equations(self.rows, self.columns, phases, agreeing)]
        return surface + self._changed(surface, equations, stiffness) * _PER_RAD

    def _changed(
        self, surface: Coefficients, equations: list[Equations], stiffness: float
    ) -> Coefficients:
        """In rad, as the phases are."""
        return changed(surface / _PER_RAD, equations, bending=self.bending, stiffness=stiffness)


def plainness(heard: Heard) -> Float[np.ndarray, "m n"]:
    """How plainly lines are heard, 1 where they are as loud as in most places."""
    amplitude = np.abs(heard)
    loud = max(float(np.percentile(amplitude, _LOUD_PERCENTILE)), np.finfo(np.float32).tiny)
    return np.minimum(amplitude / loud, 1) ** 2


def coherence(heard: Heard) -> float:
    """How alike the phases are: 1 if all are the same, 0 if they are anything."""
    return abs(_mean(heard))


def _mean(heard: Heard) -> complex:
    weights = plainness(heard)
    units = heard / np.maximum(np.abs(heard), np.finfo(np.float32).tiny)
    return complex((weights * units).sum()) / max(float(weights.sum()), _SILENCE)


def _by_cell(pixels: Float32[np.ndarray, "h w"], side: int) -> Float32[np.ndarray, "m n"]:
    height, width = pixels.shape
    rows = pixels.reshape(height // side, side, width).sum(axis=1)
    return rows.reshape(len(rows), width // side, side).sum(axis=2) / side**2
