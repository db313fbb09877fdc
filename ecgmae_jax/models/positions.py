"""Fixed sine-cosine positions of patches, as in the masked autoencoder of He et al. 2022."""

import numpy as np
from jaxtyping import Float32, Float64

from ecgmae_jax.errors import InputError


def sincos_2d(grid: tuple[int, int], *, width: int) -> Float32[np.ndarray, "n d"]:
    """Position vectors of the patches of a grid (rows, columns), row by row.

    The first half of each vector encodes the column, the second half the row, each as sines
    followed by cosines of `position / 10000**(k / (width / 4))`.

    Raises:
        InputError: if `width` is not a multiple of four.
    """
    if width % 4:
        raise InputError(f"width {width} is not a multiple of 4, which 2-D positions need")
    rows, columns = np.indices(grid).reshape(2, -1)
    halves = [_sincos_1d(columns, width=width // 2), _sincos_1d(rows, width=width // 2)]
    return np.concatenate(halves, axis=1).astype(np.float32)


def with_cls_position(patches: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "s d"]:
    """The same positions preceded by the classification token's, which is zero."""
    return np.concatenate([np.zeros_like(patches[:1]), patches])


def _sincos_1d(positions: np.ndarray, *, width: int) -> Float64[np.ndarray, "n d"]:
    # The divisor is width / 2 here, that is D / 4 of the whole vector, and not D / 4 - 1 as in
    # some other vision transformers: weights do not carry over between the two.
    frequencies = 10000.0 ** -(np.arange(width // 2) / (width // 2))
    angles = np.outer(positions, frequencies)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
