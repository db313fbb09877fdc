"""A state dict of a masked autoencoder, handed out array by array under one set of names."""

import math
import re
from collections.abc import Mapping

import jax
import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.positions import sincos_2d, with_cls_position

State = Mapping[str, np.ndarray]

# From Hugging Face's names, as in its files (transformers 4) and in memory (5), to the original's.
_RENAMES = [
    (r"^vit\.embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^vit\.embeddings\.position_embeddings$", "pos_embed"),
    (r"^vit\.embeddings\.cls_token$", "cls_token"),
    (r"^vit\.(encoder\.layer|layers)\.", "blocks."),
    (r"^vit\.layernorm\.", "norm."),
    (r"^decoder\.decoder_layers\.", "decoder_blocks."),
    (r"^decoder\.", ""),
    (r"\.attention\.attention\.(query|key|value)\.", r".attn.\1."),
    (r"\.attention\.q_proj\.", ".attn.query."),
    (r"\.attention\.k_proj\.", ".attn.key."),
    (r"\.attention\.v_proj\.", ".attn.value."),
    (r"\.attention\.(output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(?<!attention)\.output\.dense\.", ".mlp.fc2."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
]


def original_name(name: str) -> str:
    """The original code's name of an array that may be called by one of Hugging Face's."""
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


class StateReader:
    """Hands out each array of a state dict once, under the original code's names."""

    def __init__(self, state: State):
        self._found: dict[str, tuple[str, np.ndarray]] = {}
        for name, array in state.items():
            other, _ = self._found.setdefault(original_name(name), (name, array))
            if other != name:
                raise InputError(
                    f"the weights have {other} and {name}, which are one array under two names; "
                    "keep one of them"
                )

    def has(self, name: str) -> bool:
        """Whether the array is there and has not been taken."""
        return name in self._found

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The array, in float32; InputError unless it is there, of that shape, and of numbers."""
        if name not in self._found:
            raise InputError(
                f"the weights have no {name}; give a ViTMAE pre-training checkpoint of the "
                "configured depth"
            )
        given_name, array = self._found.pop(name)
        if array.shape != shape:
            raise InputError(
                f"{given_name} has shape {array.shape} and the configured model needs {shape}; "
                "make image, patch and model size those of the checkpoint"
            )
        values = np.asarray(array, np.float32)
        if not np.isfinite(values).all():
            raise InputError(
                f"{given_name} holds NaN or infinity; fetch the weights again from their publisher"
            )
        return values

    def square_side(self, name: str) -> int:
        """Patches along each side of the square pictures that the positions are for."""
        if name not in self._found:
            raise InputError(
                f"the weights have no {name}; give a ViTMAE pre-training checkpoint: its file has "
                "the encoder's arrays under the names of Hugging Face or of the original code"
            )
        given_name, array = self._found[name]
        patches = array.shape[1] - 1 if array.ndim == 3 else 0
        side = math.isqrt(max(patches, 0))
        if side < 1 or side**2 != patches:
            raise InputError(
                f"{given_name} has shape {array.shape}; expected (1, 1 + patches, width) of square "
                "pictures"
            )
        return side

    def linear(self, name: str, inputs: int, outputs: int) -> Params:
        """A linear layer; its kernel is (inputs, outputs) here and the other way round there."""
        kernel = self.take(f"{name}.weight", (outputs, inputs)).T
        return {"kernel": kernel, "bias": self.take(f"{name}.bias", (outputs,))}

    def norm(self, name: str, width: int) -> Params:
        """A layer normalisation."""
        return {
            "scale": self.take(f"{name}.weight", (width,)),
            "bias": self.take(f"{name}.bias", (width,)),
        }

    def qkv(self, name: str, width: int) -> Params:
        """The joint projection to queries, keys and values, which may be three there."""
        if self.has(f"{name}.qkv.weight"):
            return self.linear(f"{name}.qkv", width, 3 * width)
        parts = [self.linear(f"{name}.{part}", width, width) for part in ("query", "key", "value")]
        return {
            "kernel": np.concatenate([part["kernel"] for part in parts], axis=1),
            "bias": np.concatenate([part["bias"] for part in parts]),
        }

    def blocks(self, name: str, depth: int, width: int, mlp_ratio: int) -> Params:
        """Transformer blocks, each parameter stacked along a first axis of `depth`."""
        layers = [self._block(f"{name}.{i}", width, mlp_ratio * width) for i in range(depth)]
        return jax.tree.map(lambda *arrays: np.stack(arrays), *layers)

    def _block(self, name: str, width: int, hidden: int) -> Params:
        return {
            "norm1": self.norm(f"{name}.norm1", width),
            "attention": {
                "qkv": self.qkv(f"{name}.attn", width),
                "out": self.linear(f"{name}.attn.proj", width, width),
            },
            "norm2": self.norm(f"{name}.norm2", width),
            "mlp": {
                "hidden": self.linear(f"{name}.mlp.fc1", width, hidden),
                "out": self.linear(f"{name}.mlp.fc2", hidden, width),
            },
        }

    def check_positions(self, name: str, grid: tuple[int, int], width: int) -> None:
        """Takes the positions; InputError unless they are the fixed ones of that grid."""
        expected = with_cls_position(sincos_2d(grid, width=width))[None]
        if not np.allclose(self.take(name, expected.shape), expected, atol=1e-4):
            raise InputError(
                f"{name} is not the fixed sine-cosine of a {grid[0]}x{grid[1]} grid, columns "
                "first, which this model has; weights trained with other positions do not fit"
            )

    def check_empty(self) -> None:
        """Raises InputError if an array was not taken."""
        if self._found:
            names = ", ".join(sorted(name for name, _ in self._found.values())[:3])
            raise InputError(
                f"{len(self._found)} arrays of the weights have no place in the configured model "
                f"({names}, ...); make the depths those of the checkpoint"
            )
