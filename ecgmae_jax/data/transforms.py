"""Transforms of one example: callables `(example, rng) -> example`, never writing in place.

Pictures are `example["image"]`, (h, w, c) uint8 with one or three channels.
"""

from ecgmae_jax.data.geometric import (
    CentreCrop,
    HorizontalFlip,
    RandomResizedCrop,
    RandomShift,
    Resize,
    ResizeShortEdge,
)
from ecgmae_jax.data.photometric import RandomErasing, ToChannels
from ecgmae_jax.data.rand_augment import RandAugment

__all__ = [
    "CentreCrop",
    "HorizontalFlip",
    "RandAugment",
    "RandomErasing",
    "RandomResizedCrop",
    "RandomShift",
    "Resize",
    "ResizeShortEdge",
    "ToChannels",
]
