"""RandAugment (Cubuk et al. 2020), with the operations of the published recipe or safe ones."""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from ecgmae_jax.data.images import to_array, to_pillow
from ecgmae_jax.data.source import Example
from ecgmae_jax.errors import InputError

# (picture, strength in [0, 1], sign -1 or 1, grey of uncovered pixels) -> picture
Operation = Callable[[Image.Image, float, int, int], Image.Image]

_MAX_MAGNITUDE = 10.0


def _auto_contrast(picture: Image.Image, *_) -> Image.Image:
    return ImageOps.autocontrast(picture)


def _equalize(picture: Image.Image, *_) -> Image.Image:
    return ImageOps.equalize(picture)


def _invert(picture: Image.Image, *_) -> Image.Image:
    return ImageOps.invert(picture)


def _posterize(picture: Image.Image, strength: float, *_) -> Image.Image:
    return ImageOps.posterize(picture, 4 - int(4 * strength))


def _solarize(picture: Image.Image, strength: float, *_) -> Image.Image:
    return ImageOps.solarize(picture, 256 - int(256 * strength))


def _solarize_add(picture: Image.Image, strength: float, *_) -> Image.Image:
    table = [v + int(110 * strength) if v < 128 else v for v in range(256)]
    return picture.point(table * len(picture.getbands()))


def _enhance(
    picture: Image.Image, strength: float, sign: int, fill: int, *, kind: type, most: float
) -> Image.Image:
    return kind(picture).enhance(max(0.1, 1 + sign * most * strength))


def _rotate(
    picture: Image.Image, strength: float, sign: int, fill: int, *, degrees: float
) -> Image.Image:
    return picture.rotate(
        sign * degrees * strength, Image.Resampling.BICUBIC, fillcolor=_colour(picture, fill)
    )


def _affine(
    picture: Image.Image, strength: float, sign: int, fill: int, *, kind: str, most: float
) -> Image.Image:
    amount = sign * most * strength
    width, height = picture.size
    matrix = {
        "shear_x": (1, amount, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, amount, 1, 0),
        "translate_x": (1, 0, amount * width, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, amount * height),
    }[kind]
    return picture.transform(
        picture.size,
        Image.Transform.AFFINE,
        matrix,
        Image.Resampling.BICUBIC,
        fillcolor=_colour(picture, fill),
    )


def _colour(picture: Image.Image, grey: int) -> int | tuple[int, int, int]:
    return grey if picture.mode == "L" else (grey, grey, grey)


# The fifteen operations of `rand-m9-mstd0.5-inc1`: each grows with the magnitude.
_REFERENCE: tuple[Operation, ...] = (
    _auto_contrast,
    _equalize,
    _invert,
    partial(_rotate, degrees=30.0),
    _posterize,
    _solarize,
    _solarize_add,
    partial(_enhance, kind=ImageEnhance.Color, most=0.9),
    partial(_enhance, kind=ImageEnhance.Contrast, most=0.9),
    partial(_enhance, kind=ImageEnhance.Brightness, most=0.9),
    partial(_enhance, kind=ImageEnhance.Sharpness, most=0.9),
    partial(_affine, kind="shear_x", most=0.3),
    partial(_affine, kind="shear_y", most=0.3),
    partial(_affine, kind="translate_x", most=0.45),
    partial(_affine, kind="translate_y", most=0.45),
)

_ECG_SAFE: tuple[Operation, ...] = (
    _auto_contrast,
    partial(_enhance, kind=ImageEnhance.Contrast, most=0.5),
    partial(_enhance, kind=ImageEnhance.Brightness, most=0.5),
    partial(_enhance, kind=ImageEnhance.Sharpness, most=0.9),
    partial(_rotate, degrees=2.0),
    partial(_affine, kind="translate_x", most=0.03),
    partial(_affine, kind="translate_y", most=0.03),
)

POLICIES = {"reference": _REFERENCE, "ecg_safe": _ECG_SAFE}


@dataclasses.dataclass(frozen=True)
class RandAugment:
    """`num_operations` drawn with replacement, each applied with a probability of one half.

    The defaults are those of `rand-m9-mstd0.5-inc1`, the fine-tuning recipe of MAE. For sheets take
    the policy `ecg_safe` with `fill` 255, the paper's white: it changes brightness, contrast and
    sharpness, and moves the sheet by little, because that is what scanners do. Inversion,
    equalisation, posterising and solarising show no paper there is, shear lets time leak into
    voltage, and large movements cut leads off.

    Attributes:
        magnitude: 0 to 10; each operation's own is drawn from N(magnitude, magnitude_std).
        policy: the operations to draw from, a key of `POLICIES`.
        fill: grey value of pixels that a movement uncovers.
    """

    num_operations: int = 2
    magnitude: float = 9.0
    magnitude_std: float = 0.5
    policy: str = "reference"
    fill: int = 128

    def __post_init__(self):
        if self.policy not in POLICIES:
            raise InputError(
                f"RandAugment has no policy {self.policy!r}; it has {', '.join(POLICIES)}"
            )

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example, its picture augmented."""
        picture, operations = to_pillow(example["image"]), POLICIES[self.policy]
        for choice in rng.integers(len(operations), size=self.num_operations):
            is_applied = rng.random() < 0.5
            magnitude = rng.normal(self.magnitude, self.magnitude_std)
            sign = int(rng.choice((-1, 1)))
            if is_applied:
                strength = float(np.clip(magnitude, 0, _MAX_MAGNITUDE) / _MAX_MAGNITUDE)
                picture = operations[choice](picture, strength, sign, self.fill)
        return example | {"image": to_array(picture)}
