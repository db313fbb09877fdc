"""The picture that the artefacts change, and the draws that decide how."""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Key

from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS

# Uniform numbers an artefact has: whether, how strong, and the rest for its shape and place.
NUM_DRAWS = 26

Picture = Float[Array, "c h w"]
Draws = Float[Array, "_"]
Scalar = Float[Array, ""]


@dataclasses.dataclass(frozen=True)
class View:
    """Size and scale of a picture; lengths in mm times `px_per_mm` are pixels."""

    height: int
    width: int
    channels: int
    px_per_mm: float

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width."""
        return self.height / self.px_per_mm, self.width / self.px_per_mm

    @property
    def y_mm(self) -> Float32[np.ndarray, "h"]:
        """Centres of the rows from the upper edge."""
        return np.float32((np.arange(self.height) + 0.5) / self.px_per_mm)

    @property
    def x_mm(self) -> Float32[np.ndarray, "w"]:
        """Centres of the columns from the left edge."""
        return np.float32((np.arange(self.width) + 0.5) / self.px_per_mm)

    @property
    def y_unit(self) -> Float32[np.ndarray, "h"]:
        """Centres of the rows, -1 at the upper edge and 1 at the lower."""
        return np.float32((np.arange(self.height) + 0.5) * 2 / self.height - 1)

    @property
    def x_unit(self) -> Float32[np.ndarray, "w"]:
        """Centres of the columns, -1 at the left edge and 1 at the right."""
        return np.float32((np.arange(self.width) + 0.5) * 2 / self.width - 1)


def draws_by_artefact(keys: Key[Array, "b"]) -> dict[str, Float[Array, "b n"]]:
    """Uniform numbers in [0, 1) for each artefact, and for the `desk` behind the page.

    Each set depends on the example's key and the artefact's name alone, so an artefact switched
    off leaves the others as they were.
    """
    names = (*ARTEFACTS, "desk")
    codes = np.array([zlib.crc32(name.encode()) for name in names], np.uint32)
    own_keys = jax.vmap(lambda key: jax.vmap(lambda code: jax.random.fold_in(key, code))(codes))
    uniform = jax.vmap(jax.vmap(lambda key: jax.random.uniform(key, (NUM_DRAWS,))))
    draws = uniform(own_keys(keys))
    return {name: draws[:, i] for i, name in enumerate(names)}


def between(draw: Float[Array, "*n"], low: float, high: float) -> Float[Array, "*n"]:
    """The draw moved from [0, 1) to [low, high)."""
    return low + (high - low) * draw


def either_way(draw: Scalar) -> Scalar:
    """-1 or 1, equally often."""
    return jnp.where(draw < 0.5, -1.0, 1.0)
