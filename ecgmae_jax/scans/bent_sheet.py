"""A picture of a sheet and the coordinates of its grid: how bent it is, and how it looks flat."""

import dataclasses
import functools

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from ecgmae_jax.scans.grid_phases import SQUARE_MM
from ecgmae_jax.scans.lattice import Coordinate
from ecgmae_jax.scans.layers import paper_colour

_NODES = 33
# Margins, where nothing but print is, are below it.
_PLAIN = 0.36
# Against the middle of the sheet: more is no perspective, but lines that were lost count of.
_MOST_STRETCHED = 1.4
_MOST_TILTED = 0.3
_MOST_UNLIKE = 1.12
_ITERATIONS = 15


@dataclasses.dataclass(frozen=True, eq=False)
class BentSheet:
    """A picture of a sheet whose grid has been read.

    Attributes:
        across: the coordinate along the rows of the grid.
        down: the one along its columns.
        size: width and height of the picture, in pixels.
    """

    across: Coordinate
    down: Coordinate
    size: tuple[int, int]

    @functools.cached_property
    def _slopes(self) -> Float[np.ndarray, "4 n n"]:
        """Of across and of down, each down and across the picture, in mm per pixel."""
        y, x = _nodes()
        half = np.array(self.size[::-1])[:, None, None] / 2
        return np.concatenate([np.stack(c.slopes(y, x)) / half for c in (self.across, self.down)])

    @property
    def px_per_mm(self) -> float:
        """In the middle of those anywhere on the sheet."""
        across_y, across_x, down_y, down_x = self._slopes
        area = across_x * down_y - across_y * down_x
        return float(1 / np.sqrt(np.median(area)))

    @property
    def is_possible(self) -> bool:
        """Whether a camera could have seen such a sheet."""
        slopes = self._slopes.reshape(4, -1) * self.px_per_mm
        # Corners without a grid are guessed at.
        low, high = np.percentile(slopes, (2, 98), axis=1)
        across_y, across_x, down_y, down_x = zip(low, high, strict=True)
        unlike = np.median(slopes[1]) / np.median(slopes[2])
        return bool(
            min(across_x[0], down_y[0]) > 1 / _MOST_STRETCHED
            and max(across_x[1], down_y[1]) < _MOST_STRETCHED
            and max(map(abs, across_y + down_x)) < _MOST_TILTED
            and 1 / _MOST_UNLIKE < unlike < _MOST_UNLIKE
        )

    @property
    def bend_mm(self) -> float:
        """The farthest that a point of the grid lies from its place on a flat sheet."""
        y, x = _nodes()
        width, height = np.array(self.size) / self.px_per_mm / 2
        plain = np.min([_at_nodes(c.plainness) for c in (self.across, self.down)], axis=0) > _PLAIN
        if not plain.any():
            return 0.0
        off = np.stack([self.across.at(y, x) - width * x, self.down.at(y, x) - height * y])
        off = off[:, plain] - np.median(off[:, plain], axis=1, keepdims=True)
        return float(np.hypot(*off).max())

    def picture_of(self, picture: Image.Image) -> Image.Image:
        """The picture resampled so that the grid is straight and square, at `px_per_mm`.

        Whole, on a canvas as large as it takes, filled with the paper's colour.
        """
        y, x = _nodes()
        mm = np.stack([self.across.at(y, x), self.down.at(y, x)])
        low, high = mm.min(axis=(1, 2)), mm.max(axis=(1, 2))
        size = np.ceil((high - low) * self.px_per_mm).astype(int)
        return picture.transform(
            tuple(size.tolist()),
            Image.Transform.MESH,
            self._mesh(low, size),
            Image.Resampling.BICUBIC,
            fillcolor=paper_colour(picture),
        )

    def _mesh(
        self, low: Float[np.ndarray, "2"], size: Int[np.ndarray, "2"]
    ) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Boxes of the flat picture, and the corners that each has on the picture as it came.

        As large as the grid's own large squares; between their corners lines are straight enough.
        """
        pixels = [
            np.linspace(0, n, 1 + max(1, round(n / self.px_per_mm / SQUARE_MM))).round()
            for n in size
        ]
        mm = (first + some / self.px_per_mm for first, some in zip(low, pixels, strict=True))
        corners = np.stack(self._places(*np.meshgrid(*mm)), axis=-1)
        quads = np.concatenate(
            [corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]], axis=-1
        )
        columns, rows = (some.astype(int).tolist() for some in pixels)
        return [
            ((columns[j], rows[i], columns[j + 1], rows[i + 1]), tuple(quads[i, j].tolist()))
            for i, j in np.ndindex(*quads.shape[:2])
        ]

    def _places(
        self, across: Float[np.ndarray, "m n"], down: Float[np.ndarray, "m n"]
    ) -> tuple[Float[np.ndarray, "m n"], Float[np.ndarray, "m n"]]:
        """Where on the picture the coordinates have these values, in pixels from its left and top.

        By Newton's steps with the slopes of a flat sheet; beyond the picture as on a flat one.
        """
        half = np.array(self.size) / 2
        mm = half / self.px_per_mm
        x, y = across / mm[0], down / mm[1]
        for _ in range(_ITERATIONS):
            inside_x, inside_y = np.clip(x, -1, 1), np.clip(y, -1, 1)
            seen_across = self.across.at(inside_y, inside_x) + mm[0] * (x - inside_x)
            seen_down = self.down.at(inside_y, inside_x) + mm[1] * (y - inside_y)
            x, y = x + (across - seen_across) / mm[0], y + (down - seen_down) / mm[1]
        return (x + 1) * half[0], (y + 1) * half[1]


def _nodes() -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n n"]]:
    places = np.linspace(-1, 1, _NODES)
    y, x = np.meshgrid(places, places, indexing="ij")
    return y, x


def _at_nodes(parts: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "k k"]:
    rows, columns = (
        np.linspace(0, length - 1, _NODES).round().astype(int) for length in parts.shape
    )
    return parts[np.ix_(rows, columns)]
