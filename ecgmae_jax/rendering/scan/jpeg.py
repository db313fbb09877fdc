"""What JPEG keeps of a picture (ITU-T T.81): quantised cosine coefficients of 8 x 8 blocks."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View

# T.81, tables K.1 and K.2.
LUMINANCE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56
14 17 22 29 51 87 80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92
49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMINANCE = (
    """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99"""
    + 32 * " 99"
)
# JFIF: full-range BT.601.
_TO_YCC = np.float32(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)
_TO_RGB = np.float32([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
_EXACT = jax.lax.Precision.HIGHEST


def jpeg(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture as read back from a JPEG file of quality `strength`.

    Colour is stored at half the resolution both ways (4:2:0), as most cameras and scanners do.
    """
    levels = jnp.clip(jnp.round(picture), 0, 255)
    if view.channels == 1:
        return _stored(levels[0], LUMINANCE, strength)[None]
    luma, *chroma = jnp.round(_mixed(_TO_YCC, levels))
    chroma = [_halved(plane) + 128 for plane in chroma]
    chroma = [_doubled(_stored(plane, CHROMINANCE, strength), view) - 128 for plane in chroma]
    return _mixed(_TO_RGB, jnp.stack([_stored(luma, LUMINANCE, strength), *chroma]))


def _mixed(matrix: np.ndarray, planes: Picture) -> Picture:
    return jnp.stack([sum(float(row[i]) * planes[i] for i in range(3) if row[i]) for row in matrix])


def _stored(plane: Float[Array, "h w"], table: str, quality: Scalar) -> Float[Array, "h w"]:
    """One plane after the round trip, whole levels from 0 to 255."""
    height, width = plane.shape
    padded = jnp.pad(plane, ((0, -height % 8), (0, -width % 8)), mode="edge")
    rows, columns = padded.shape[0] // 8, padded.shape[1] // 8
    blocks = padded.reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 64) - 128
    steps = quantisation_steps(table, quality)
    amounts = jnp.matmul(blocks, _DCT.T, precision=_EXACT) / steps[None]
    # Halves away from zero, as encoders do; with whole levels and even steps there are many.
    kept = jnp.sign(amounts) * jnp.floor(jnp.abs(amounts) + 0.5) * steps[None]
    blocks = jnp.matmul(kept, _DCT, precision=_EXACT) + 128
    plane = blocks.reshape(rows, columns, 8, 8).swapaxes(1, 2).reshape(padded.shape)
    return jnp.clip(jnp.round(plane[:height, :width]), 0, 255)


def quantisation_steps(table: str, quality: Scalar) -> Float[Array, "64"]:
    """The table scaled to a quality from 1 to 100, as the Independent JPEG Group's library does."""
    scale = jnp.floor(jnp.where(quality < 50, 5000 / quality, 200 - 2 * quality))
    base = np.array(table.split(), np.float32)
    return jnp.clip(jnp.floor((base * scale + 50) / 100), 1, 255)


def _dct() -> np.ndarray:
    """The two-dimensional cosine transform of a block written as a row, (64, 64)."""
    k, n = np.mgrid[:8, :8]
    one = np.cos((2 * n + 1) * k * np.pi / 16) / 2
    one[0] /= np.sqrt(2)
    return np.kron(one, one).astype(np.float32)


_DCT = _dct()


def _halved(plane: Float[Array, "h w"]) -> Float[Array, "h2 w2"]:
    height, width = plane.shape
    padded = jnp.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    means = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).mean(axis=(1, 3))
    # libjpeg rounds halves down and up in turn.
    bias = 0.25 + 0.25 * (np.arange(means.shape[1], dtype=np.float32) % 2)
    return jnp.floor(means + bias[None])


def _doubled(plane: Float[Array, "h2 w2"], view: View) -> Float[Array, "h w"]:
    """Twice the size, three parts of the nearer value and one of the next, as libjpeg does."""
    for axis in (0, 1):
        before = jnp.concatenate([plane.take(jnp.array([0]), axis), plane], axis)
        after = jnp.concatenate([plane, plane.take(jnp.array([-1]), axis)], axis)
        size = plane.shape[axis]
        first = 0.75 * plane + 0.25 * jax.lax.slice_in_dim(before, 0, size, axis=axis)
        second = 0.75 * plane + 0.25 * jax.lax.slice_in_dim(after, 1, size + 1, axis=axis)
        plane = jnp.stack([first, second], axis + 1)
        shape = [s for i, s in enumerate(plane.shape) if i != axis + 1]
        shape[axis] *= 2
        plane = plane.reshape(shape)
    return plane[: view.height, : view.width]
