"""Transforms of pixel values that leave every pixel where it is."""

import dataclasses
import math

import numpy as np

from ecgmae_jax.data.images import to_array, to_pillow
from ecgmae_jax.data.source import Example

_ERASING_TRIES = 10


@dataclasses.dataclass(frozen=True)
class ToChannels:
    """The picture with one channel (ITU-R 601 luma) or three (the grey one repeated)."""

    channels: int

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture converted."""
        image = example["image"]
        if image.shape[-1] == self.channels:
            return example
        mode = "L" if self.channels == 1 else "RGB"
        return example | {"image": to_array(to_pillow(image).convert(mode))}


@dataclasses.dataclass(frozen=True)
class RandomErasing:
    """A random rectangle replaced by noise (Zhong et al. 2020; each pixel drawn by itself).

    Attributes:
        area: share of the picture, uniform.
        ratio: height / width, log-uniform.
        mean: and `std`, of the noise, on a scale where white is 1: those by which the model's
            input is normalised, so that the noise is about N(0, 1) there.
    """

    probability: float = 0.25
    area: tuple[float, float] = (0.02, 1 / 3)
    ratio: tuple[float, float] = (0.3, 3.3)
    mean: float = 0.5
    std: float = 0.25

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture perhaps with a hole of noise."""
        if rng.random() >= self.probability:
            return example
        height, width, channels = example["image"].shape
        for _ in range(_ERASING_TRIES):
            area = height * width * rng.uniform(*self.area)
            aspect = math.exp(rng.uniform(*np.log(self.ratio)))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < h < height and 0 < w < width:
                top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
                noise = 255 * rng.normal(self.mean, self.std, (h, w, channels))
                image = example["image"].copy()
                image[top : top + h, left : left + w] = noise.round().clip(0, 255)
                return example | {"image": image}
        return example
