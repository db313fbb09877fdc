"""The vision transformer that encodes images, whole or with most patches hidden."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Float32, Int, PRNGKeyArray

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.layers import Linear, make_layer_norm, xavier_uniform
from ecgmae_jax.models.patches import patch_grid, patchify
from ecgmae_jax.models.positions import sincos_2d, with_cls_position
from ecgmae_jax.models.stack import make_blocks, run_blocks

# Ti and S: Touvron et al. 2021 (DeiT), table 1. B, L and H: Dosovitskiy et al. 2021, table 1.
VIT_SIZES: dict[str, dict[str, int]] = {
    "Ti": {"width": 192, "depth": 12, "heads": 3},
    "S": {"width": 384, "depth": 12, "heads": 6},
    "B": {"width": 768, "depth": 12, "heads": 12},
    "L": {"width": 1024, "depth": 24, "heads": 16},
    "H": {"width": 1280, "depth": 32, "heads": 16},
}


@dataclasses.dataclass(frozen=True)
class ViTConfig:
    """What an encoder sees and how large it is; ViT-B/16 on 224x224 colour unless told otherwise.

    `ViTConfig(**VIT_SIZES["S"], image_size=(384, 512), channels=1)` is a small one for sheets.
    Sizes are (height, width) in pixels.
    """

    image_size: tuple[int, int] = (224, 224)
    patch_size: tuple[int, int] = (16, 16)
    channels: int = 3
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: int = 4

    def __post_init__(self):
        patch_grid(self.image_size, self.patch_size)
        if self.depth < 1:
            raise InputError(f"depth is {self.depth}; an encoder has at least one block")
        if self.channels not in (1, 3):
            raise InputError(f"channels is {self.channels}; images have 1 (grey) or 3 (colour)")
        check_width(self.width, heads=self.heads, name="width")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return patch_grid(self.image_size, self.patch_size)

    @property
    def num_patches(self) -> int:
        """Patches in an image."""
        return self.grid[0] * self.grid[1]

    @property
    def values_per_patch(self) -> int:
        """Pixels of a patch times channels."""
        return self.patch_size[0] * self.patch_size[1] * self.channels


def check_width(width: int, *, heads: int, name: str) -> None:
    """Raises InputError unless 2-D positions and attention heads fit into a width."""
    if min(width, heads) < 1 or width % 4 or width % heads:
        raise InputError(
            f"{name} {width} must be a multiple of 4 and of its {heads} heads, each at least 1; "
            "change one of them"
        )


class Encoder(nnx.Module):
    """A pre-norm vision transformer with a classification token.

    Args:
        config: sizes.
        key: for the initial parameters.
        compute: precision and memory.
        final_norm: whether the tokens pass a last layer normalisation; fine-tuning goes without.
        learned_positions: whether positions are parameters that start from the fixed ones.
        drop_path: rate of the last block.
    """

    def __init__(
        self,
        config: ViTConfig,
        *,
        key: PRNGKeyArray,
        compute: Compute = PLAIN,
        final_norm: bool = True,
        learned_positions: bool = False,
        drop_path: float = 0.0,
    ):
        patch_key, cls_key, blocks_key = jax.random.split(key, 3)
        width = config.width
        (kernel,) = xavier_uniform(patch_key, (config.values_per_patch, width))
        self.patch_projection = Linear(kernel, compute=compute)
        self.cls_token = nnx.Param(0.02 * jax.random.normal(cls_key, (1, 1, width)))
        self.positions = nnx.Param(_fixed_positions(config)) if learned_positions else None
        self.blocks = make_blocks(
            width=width,
            depth=config.depth,
            heads=config.heads,
            mlp_ratio=config.mlp_ratio,
            key=blocks_key,
            compute=compute,
        )
        self.norm = make_layer_norm(width) if final_norm else None
        self.config = config
        self.compute = compute
        self.drop_path = drop_path

    def __call__(
        self,
        images: Float[Array, "b h w c"],
        visible: Int[Array, "b v"] | None = None,
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float32[Array, "b s d"]:
        """Tokens of the images, the classification token first.

        Args:
            images: pixels, standardised.
            visible: indices of the patches to look at, in this order; all of them if None.
            key: drops paths at random; none are dropped without it.
        """
        patches = patchify(images, patch_size=self.config.patch_size)
        positions = self._positions()
        cls_token = self.cls_token[...] + positions[:, :1]
        positions = positions[:, 1:]
        if visible is not None:
            patches = jnp.take_along_axis(patches, visible[..., None], axis=1)
            positions = positions[0][visible]
        tokens = self.patch_projection(patches).astype(jnp.float32) + positions
        cls_tokens = jnp.broadcast_to(cls_token, (len(images), 1, self.config.width))
        tokens = run_blocks(
            self.blocks,
            jnp.concatenate([cls_tokens, tokens], axis=1),
            compute=self.compute,
            drop_path=self.drop_path,
            key=key,
        )
        return tokens if self.norm is None else self.norm(tokens)

    def _positions(self) -> Float32[Array, "1 s d"]:
        if self.positions is None:
            return _fixed_positions(self.config)
        return self.positions[...]


def pool(tokens: Float[Array, "b s d"], *, pooling: str) -> Float[Array, "b f"]:
    """One vector for each image.

    Args:
        tokens: an encoder's, the classification token first.
        pooling: `cls` for the classification token, `mean` for the mean of the patches without
            it, `both` for the two one after the other (twice the width).

    Raises:
        InputError: for any other pooling.
    """
    parts = {"cls": [tokens[:, 0]], "mean": [jnp.mean(tokens[:, 1:], axis=1)]}
    parts["both"] = parts["cls"] + parts["mean"]
    if pooling not in parts:
        raise InputError(f"pooling is {pooling!r}; choose one of {', '.join(parts)}")
    return jnp.concatenate(parts[pooling], axis=-1)


def _fixed_positions(config: ViTConfig) -> Float32[Array, "1 s d"]:
    positions = with_cls_position(sincos_2d(config.grid, width=config.width))
    return jnp.asarray(positions)[None]
