"""Random fields over the page: fine grain in pixels, soft blotches on a coarse mesh.

Normal numbers are the dearest part of a noisy picture, so each kind is a fixed tile, larger than
the picture, from which a picture sees a window at a random place.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32
from scipy import ndimage

from ecgmae_jax.rendering.scan.view import Draws, Scalar, View

Layer = Float[Array, "1 h w"]

_MESH_MM = 8.0
_SPARE = 64  # rows and columns by which a tile exceeds the picture
_PAPER_GRAIN_MM = (0.25, 1.2)
_BLOTCH_MM = 14.0


def mesh_shape(view: View) -> tuple[int, int]:
    """Nodes of the coarse mesh, which reaches from edge to edge."""
    return tuple(math.ceil(side / _MESH_MM) + 1 for side in view.size_mm)


def spread(nodes: Float[Array, "gh gw"], view: View) -> Layer:
    """The field between the nodes of the mesh, bilinear."""
    down, across = _interpolation(view)
    return outer_product(outer_product(jnp.asarray(down), nodes), jnp.asarray(across.T))[None]


@functools.cache
def _interpolation(view: View) -> tuple[Float32[np.ndarray, "h gh"], Float32[np.ndarray, "w gw"]]:
    def weights(places_mm, num_nodes):
        away = places_mm[:, None] / _MESH_MM - np.arange(num_nodes)[None]
        return np.maximum(0, 1 - np.abs(away)).astype(np.float32)

    rows, columns = mesh_shape(view)
    return weights(view.y_mm, rows), weights(view.x_mm, columns)


def white_noise(draws: Draws, view: View) -> Layer:
    """Independent standard normal pixels; takes two draws."""
    return _window(_white(view), draws, (view.height, view.width))[None]


def paper_grain(draws: Draws, view: View) -> Layer:
    """Fibres and clouds of a sheet of paper, standard deviation 1; takes two draws."""
    return _window(_grain(view), draws, (view.height, view.width))[None]


def blotches(draws: Draws, view: View) -> Float[Array, "gh gw"]:
    """Soft spots some centimetres wide on the mesh, standard deviation 1; takes two draws."""
    return _window(_blotches(mesh_shape(view)), draws, mesh_shape(view))


def _window(tile: Float32[np.ndarray, "th tw"], draws: Draws, shape: tuple[int, int]):
    places = (jnp.stack([draws[0], draws[1]]) * (_SPARE + 1)).astype(jnp.int32)
    return jax.lax.dynamic_slice(jnp.asarray(tile), (places[0], places[1]), shape)


@functools.cache
def _white(view: View) -> Float32[np.ndarray, "th tw"]:
    shape = (view.height + _SPARE, view.width + _SPARE)
    return np.random.default_rng(1).standard_normal(shape, np.float32)


@functools.cache
def _grain(view: View) -> Float32[np.ndarray, "th tw"]:
    shape = (view.height + _SPARE, view.width + _SPARE)
    fine, coarse = (
        _standardised(_smoothed(shape, size * view.px_per_mm, seed=seed))
        for seed, size in enumerate(_PAPER_GRAIN_MM, start=2)
    )
    return _standardised(fine + 0.7 * coarse)


@functools.cache
def _blotches(shape: tuple[int, int]) -> Float32[np.ndarray, "th tw"]:
    larger = (shape[0] + _SPARE, shape[1] + _SPARE)
    return _standardised(_smoothed(larger, _BLOTCH_MM / _MESH_MM, seed=4))


def _smoothed(shape: tuple[int, int], sigma_px: float, *, seed: int):
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return ndimage.gaussian_filter(noise, sigma_px, mode="wrap")


def _standardised(values) -> Float32[np.ndarray, "th tw"]:
    return np.float32((values - values.mean()) / values.std())


def line_distance(angle: Scalar, through_mm: tuple[Scalar, Scalar], view: View) -> Layer:
    """Signed distance in mm of every pixel from a line through a point (y, x)."""
    down = jnp.cos(angle) * (view.y_mm - through_mm[0])
    across = jnp.sin(angle) * (view.x_mm - through_mm[1])
    return down[None, :, None] + across[None, None, :]


def outer_sum(down: Float[Array, "h"], across: Float[Array, "w"]) -> Float[Array, "h w"]:
    """Their sum at every pixel, each side computed once (see `outer_product`)."""
    return outer_product(
        jnp.stack([down, jnp.ones_like(down)], 1), jnp.stack([jnp.ones_like(across), across])
    )


def outer_product(
    down: Float[Array, "*c h k"], across: Float[Array, "k w"]
) -> Float[Array, "*c h w"]:
    """The sum of k products of a function of the row and one of the column.

    Written as broadcasts, XLA would compute both sides again for every pixel of a CPU's picture.
    """
    return jnp.matmul(down, across, precision=jax.lax.Precision.HIGHEST)
