"""Which patches the encoder sees. Other kinds of mask need only make another `Mask`."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int32, PRNGKeyArray

from ecgmae_jax.errors import InputError


class Mask(NamedTuple):
    """A division of each image's patches into visible and hidden ones.

    Attributes:
        visible: indices of the visible patches, in the order the encoder gets them.
        restore: for each patch its place in the sequence "visible, then hidden".
        hidden: 1 where a patch is hidden, else 0.
    """

    visible: Int32[Array, "b v"]
    restore: Int32[Array, "b n"]
    hidden: Float32[Array, "b n"]


def num_visible(num_patches: int, *, ratio: float) -> int:
    """How many patches stay visible when the share `ratio` is hidden, rounded down.

    Raises:
        InputError: if no patch would stay visible, or none would be hidden.
    """
    visible = int(num_patches * (1 - ratio)) if math.isfinite(ratio) else 0
    if not 0 < visible < num_patches:
        raise InputError(
            f"mask_ratio {ratio} leaves {visible} of {num_patches} patches visible; "
            "choose one that leaves at least 1 visible and 1 hidden"
        )
    return visible


def mask_from_noise(noise: Float[Array, "b n"], *, ratio: float) -> Mask:
    """The mask that keeps, in each image, the patches with the smallest noise."""
    visible = num_visible(noise.shape[1], ratio=ratio)
    order = jnp.argsort(noise, axis=1).astype(jnp.int32)
    restore = jnp.argsort(order, axis=1).astype(jnp.int32)
    return Mask(order[:, :visible], restore, (restore >= visible).astype(jnp.float32))


def random_mask(key: PRNGKeyArray, *, batch: int, num_patches: int, ratio: float) -> Mask:
    """A random choice of visible patches, drawn anew for every image (He et al. 2022, section 3).

    Args:
        key: source of randomness.
        batch: number of images.
        num_patches: patches in an image.
        ratio: share of patches hidden.
    """
    return mask_from_noise(jax.random.uniform(key, (batch, num_patches)), ratio=ratio)
