"""Transforms that move or scale pixels.

An ECG's answer lies in lengths: 25 mm a second, 10 mm a millivolt. `RandomShift` alone keeps the
scale; `RandomResizedCrop` changes it and the aspect ratio, and a flip turns time round. They are
here for the recipe published for photographs.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import UInt8

from ecgmae_jax.data.images import resize
from ecgmae_jax.data.source import Example
from ecgmae_jax.errors import InputError

_CROP_TRIES = 10


@dataclasses.dataclass(frozen=True)
class RandomShift:
    """The picture moved by up to `max_px` whole pixels in each direction, its edge repeated."""

    max_px: int

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture moved."""
        image = example["image"]
        height, width = image.shape[:2]
        top, left = rng.integers(0, 2 * self.max_px + 1, size=2)
        padding = ((self.max_px, self.max_px), (self.max_px, self.max_px), (0, 0))
        padded = np.pad(image, padding, mode="edge")
        return example | {"image": padded[top : top + height, left : left + width].copy()}


@dataclasses.dataclass(frozen=True)
class RandomResizedCrop:
    """A random part of the picture, resized to `size` (height, width).

    Sampled as torchvision does: area share and aspect ratio (width / height, log-uniform) are
    tried ten times, then the largest central part of an allowed ratio is taken.
    """

    size: tuple[int, int]
    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture cropped and resized."""
        image = example["image"]
        top, left, height, width = self.box(image.shape[0], image.shape[1], rng)
        part = image[top : top + height, left : left + width]
        return example | {"image": resize(part, self.size)}

    def box(self, height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part to keep."""
        log_ratio = np.log(self.ratio)
        for _ in range(_CROP_TRIES):
            area = height * width * rng.uniform(*self.scale)
            aspect = math.exp(rng.uniform(*log_ratio))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
                return int(top), int(left), h, w
        aspect = min(max(width / height, self.ratio[0]), self.ratio[1])
        w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
        return (height - h) // 2, (width - w) // 2, h, w


@dataclasses.dataclass(frozen=True)
class HorizontalFlip:
    """The picture mirrored left to right, with the given probability."""

    probability: float = 0.5

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture perhaps mirrored."""
        if rng.random() >= self.probability:
            return example
        return example | {"image": example["image"][:, ::-1].copy()}


@dataclasses.dataclass(frozen=True)
class Resize:
    """The whole picture at `size` (height, width), whatever its aspect ratio was."""

    size: tuple[int, int]

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture resized."""
        return example | {"image": resize(example["image"], self.size)}


@dataclasses.dataclass(frozen=True)
class ResizeShortEdge:
    """The whole picture, its aspect ratio kept, its shorter edge `length` pixels."""

    length: int

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture resized."""
        height, width = example["image"].shape[:2]
        short = min(height, width)
        size = (self.length * height // short, self.length * width // short)
        return example | {"image": resize(example["image"], size)}


@dataclasses.dataclass(frozen=True)
class CentreCrop:
    """The middle of the picture, `size` (height, width)."""

    size: tuple[int, int]

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture cropped."""
        return example | {"image": _centre(example["image"], self.size)}


def _centre(
    image: UInt8[np.ndarray, "h w c"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h2 w2 c"]:
    if image.shape[0] < size[0] or image.shape[1] < size[1]:
        raise InputError(
            f"a centre crop of {size[0]}x{size[1]} does not fit into a picture of "
            f"{image.shape[0]}x{image.shape[1]}: resize it first or crop less"
        )
    top, left = ((image.shape[axis] - size[axis]) // 2 for axis in (0, 1))
    return image[top : top + size[0], left : left + size[1]].copy()
