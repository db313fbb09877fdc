"""One vector for each picture from the tokens of its patches, beyond their plain mean."""

import re

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from ecgmae_jax.errors import InputError

POOLINGS = "mean, cls, both, mean+std or regional-<rows>x<columns>"


def pool_patches(
    tokens: Float[Array, "b n d"], *, grid: tuple[int, int], pooling: str
) -> Float[Array, "b f"]:
    """The patch tokens of each picture, summarised.

    Args:
        tokens: row by row over the grid, without a classification token.
        grid: rows and columns of patches.
        pooling: `mean+std` for the mean of the patches and their standard deviation around it, or
            `regional-4x4` for the means of four times four regions, those of the first row of
            regions first. With as many regions as patches it keeps every token.

    Raises:
        InputError: any other pooling, or more regions than patches.
    """
    if pooling == "mean+std":
        return jnp.concatenate([tokens.mean(axis=1), tokens.std(axis=1)], axis=-1)
    regions = regions_of(pooling)
    maps = tokens.reshape(len(tokens), *grid, tokens.shape[-1])
    return regional_means(maps, regions=regions)


def regions_of(pooling: str) -> tuple[int, int]:
    """Rows and columns of a regional pooling; InputError for another pooling."""
    found = re.fullmatch(r"regional-([1-9]\d*)x([1-9]\d*)", pooling)
    if not found:
        raise InputError(f"pooling is {pooling!r}; choose {POOLINGS}")
    return int(found[1]), int(found[2])


def regional_means(
    maps: Float[Array, "b h w d"], *, regions: tuple[int, int]
) -> Float[Array, "b f"]:
    """Means over a grid of equal regions, one after the other, row by row.

    A cell on the border of two regions counts in each by the share that lies in it.

    Raises:
        InputError: more regions than cells.
    """
    height, width = maps.shape[1:3]
    if regions[0] > height or regions[1] > width:
        raise InputError(
            f"pooling over {regions[0]}x{regions[1]} regions of {height}x{width} cells: a region "
            "would be smaller than a cell; choose fewer regions"
        )
    means = jnp.einsum(
        "bhwd,rh,cw->brcd", maps, _shares(height, regions[0]), _shares(width, regions[1])
    )
    return means.reshape(len(maps), -1)


def _shares(cells: int, regions: int) -> Float32[np.ndarray, "r n"]:
    """Row r: what each cell contributes to the mean of region r."""
    edges = np.linspace(0, cells, regions + 1)
    first = np.arange(cells)
    overlap = np.minimum(first + 1, edges[1:, None]) - np.maximum(first, edges[:-1, None])
    return (np.maximum(overlap, 0) * regions / cells).astype(np.float32)
