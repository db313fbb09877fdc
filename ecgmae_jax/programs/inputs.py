"""What enters a model: augmentations by name, and the specification that a checkpoint carries."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt8

from ecgmae_jax.data import transforms
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError

# In the order in which they are applied, that of the published recipes: a ConfigDict has none.
AUGMENTATIONS = {
    "random_resized_crop": transforms.RandomResizedCrop,
    "random_shift": transforms.RandomShift,
    "horizontal_flip": transforms.HorizontalFlip,
    "rand_augment": transforms.RandAugment,
    "random_erasing": transforms.RandomErasing,
}


def make_augmentations(
    settings: Mapping[str, Mapping[str, Any]], specification: Mapping[str, Any]
) -> tuple:
    """The named augmentations, each with its settings, up to pictures of the model's size.

    Raises:
        InputError: an unknown name, or a crop of another size than the model's.
    """
    unknown = sorted(set(settings) - set(AUGMENTATIONS))
    if unknown:
        raise InputError(f"config.augment names {unknown}; there are {sorted(AUGMENTATIONS)}")
    size, picture = tuple(specification["image_size"]), specification["picture"]
    crop = settings.get("random_resized_crop", {}).get("size", size)
    if tuple(crop) != size:
        raise InputError(
            f"config.augment.random_resized_crop gives {crop[0]}x{crop[1]} px, the model takes "
            f"{size[0]}x{size[1]}; crop to that size, or take a checkpoint trained at {crop}"
        )
    made = [make(**settings[name]) for name, make in AUGMENTATIONS.items() if name in settings]
    if "random_resized_crop" not in settings and size != (picture["height"], picture["width"]):
        made.insert(0, transforms.Resize(size))
    return tuple(made)


def input_specification(
    dataset: Dataset, *, augment: Mapping[str, Any], statistics: Mapping[str, Any]
) -> dict[str, Any]:
    """How a picture enters the model: its geometry on paper, its size and its statistics."""
    if "height" not in dataset.picture:
        raise InputError(
            f"{dataset.name}/{dataset.config} holds signals, and this program reads pictures; "
            "choose --config.data.config=sheet"
        )
    whole = (dataset.picture["height"], dataset.picture["width"])
    size = augment["random_resized_crop"]["size"] if "random_resized_crop" in augment else whole
    channels = dataset.picture["channels"]
    mean, std = tuple(statistics["mean"]), tuple(statistics["std"])
    if len(mean) != channels or len(std) != channels:
        raise InputError(
            f"config.picture has {len(mean)} means and {len(std)} deviations, the pictures of "
            f"{dataset.name}/{dataset.config} have {channels} channels; give one of each a channel"
        )
    return {
        "picture": dict(dataset.picture),
        "image_size": tuple(size),
        "channels": channels,
        "mean": mean,
        "std": std,
    }


def check_input(dataset: Dataset, specification: Mapping[str, Any]) -> None:
    """Raises InputError unless the dataset's pictures are what the model was trained on."""
    expected, found = specification["picture"], dataset.picture
    keys = sorted(set(expected) & set(found))
    different = [
        f"{key} {found[key]!r} (the model knows {expected[key]!r})"
        for key in keys
        if found[key] != expected[key]
    ]
    if different or "height" not in found:
        raise InputError(
            f"the pictures of {dataset.name}/{dataset.config} differ from those the model was "
            f"trained on: {', '.join(different) or 'they are signals'}; build the dataset with the "
            "same layout and size, or train a model for these"
        )


def standardise(
    images: UInt8[Array, "b h w c"], specification: Mapping[str, Any]
) -> Float32[Array, "b h w c"]:
    """Pixels as the model sees them: share of full scale, minus the mean, over the deviation."""
    mean = jnp.asarray(specification["mean"], jnp.float32).reshape(1, 1, 1, -1)
    std = jnp.asarray(specification["std"], jnp.float32).reshape(1, 1, 1, -1)
    return (images.astype(jnp.float32) / 255 - mean) / std


def truth_of(dataset: Dataset, task: str) -> np.ndarray:
    """The task's labels (n, k), NaN where unknown."""
    label_set = dataset.label_set(task)
    source = dataset.source.only("labels")
    return np.stack([label_set.encode(source[i]["labels"][task]) for i in range(len(source))])
