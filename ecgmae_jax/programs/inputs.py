"""What enters a model: augmentations by name, and the specification that a checkpoint carries."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int16, UInt8

from ecgmae_jax.data import transforms
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.targets import NumberTarget
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.rendering.stored_sheet import sheet_from_dict

# In the order in which they are applied, that of the published recipes: a ConfigDict has none.
AUGMENTATIONS = {
    "random_resized_crop": transforms.RandomResizedCrop,
    "random_shift": transforms.RandomShift,
    "horizontal_flip": transforms.HorizontalFlip,
    "rand_augment": transforms.RandAugment,
    "random_erasing": transforms.RandomErasing,
}
# What the description of a drawn sheet leaves out where it is the plain sheet's.
_PLAIN_UNLESS_STATED = {"paper", "field", "marks"}


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
    resize = () if "random_resized_crop" in settings else resizing(picture, specification)
    return (*resize, *made)


def resizing(picture: Mapping[str, Any], specification: Mapping[str, Any]) -> tuple:
    """What brings pictures of that size to the model's: one transform, or none."""
    size = tuple(specification["image_size"])
    return () if size == (picture["height"], picture["width"]) else (transforms.Resize(size),)


def input_specification(
    picture: Mapping[str, Any],
    *,
    name: str,
    augment: Mapping[str, Any],
    statistics: Mapping[str, Any],
) -> dict[str, Any]:
    """How a picture enters the model: its geometry on paper, its size and its statistics.

    Args:
        picture: how it was drawn, `Sheet.as_dict()`.
        name: of the dataset, for messages.
        augment: the augmentations, of which a crop sets the model's size.
        statistics: `mean` and `std` of a pixel, share of full scale, one of each a channel.
    """
    if "height" not in picture:
        raise InputError(
            f"{name} holds signals, and this program reads pictures; "
            "choose --config.data.config=sheet"
        )
    whole = (picture["height"], picture["width"])
    size = augment["random_resized_crop"]["size"] if "random_resized_crop" in augment else whole
    channels = picture["channels"]
    mean, std = tuple(statistics["mean"]), tuple(statistics["std"])
    if len(mean) != channels or len(std) != channels:
        raise InputError(
            f"config.picture has {len(mean)} means and {len(std)} deviations, the pictures of "
            f"{name} have {channels} channels; give one of each a channel"
        )
    if not np.isfinite(mean).all() or not all(0 < one < np.inf for one in std):
        raise InputError(f"config.picture has means {mean} and deviations {std} of no picture")
    return {
        "picture": dict(picture),
        "image_size": tuple(size),
        "channels": channels,
        "mean": mean,
        "std": std,
    }


def check_input(dataset: Dataset, specification: Mapping[str, Any]) -> None:
    """Raises InputError unless the dataset's pictures are what the model was trained on.

    Signals are, where the model's pictures are sheets: they are drawn as those were.
    """
    expected, found = specification["picture"], dataset.picture
    if "signal" in found:
        sheet_of(specification)
        return
    keys = set(expected) & set(found)
    if "strips" in keys:
        keys |= _PLAIN_UNLESS_STATED & (set(expected) | set(found))
    different = [
        f"{key} {found.get(key, 'plain')!r} (the model knows {expected.get(key, 'plain')!r})"
        for key in sorted(keys)
        if found.get(key) != expected.get(key)
    ]
    if different or "height" not in found:
        raise InputError(
            f"the pictures of {dataset.name}/{dataset.config} differ from those the model was "
            f"trained on: {', '.join(different) or 'their geometry is unknown'}; build the dataset "
            "with the same layout and size, or train a model for these"
        )


def make_sheet_drawer(
    storage: Mapping[str, Any], specification: Mapping[str, Any]
) -> Callable[[Int16[Array, "b l t"]], UInt8[Array, "b h w c"]]:
    """The jitted function that draws stored signals as the pictures a model was trained on.

    Args:
        storage: how the signals are stored, `Dataset.picture["signal"]`.
        specification: of the model's input.
    """
    facts = tuple((name, storage[name]) for name in ("rate_hz", "uv_per_lsb", "missing"))
    return _sheet_drawer(sheet_of(specification), facts)


# An evaluator asks for it again at every evaluation; compiling it takes longer than drawing.
@functools.lru_cache(maxsize=4)
def _sheet_drawer(sheet: Sheet, facts: tuple[tuple[str, Any], ...]) -> Callable:
    storage = dict(facts)
    deck = make_deck([sheet], rate_hz=storage["rate_hz"])

    @jax.jit
    def draw_signals(signal: Int16[Array, "b l t"]) -> UInt8[Array, "b h w c"]:
        which = jnp.zeros(len(signal), jnp.int32)
        return draw(deck, as_millivolts(signal, storage), which).image

    return draw_signals


def sheet_of(specification: Mapping[str, Any]) -> Sheet:
    """The sheet of a model's pictures; InputError where this version would draw another one."""
    picture = specification["picture"]
    drawable = {name: value for name, value in picture.items() if name != "renderer"}
    try:
        sheet = sheet_from_dict(drawable)
    except InputError:
        sheet = None
    if sheet is None or sheet.as_dict() != drawable:
        raise InputError(
            "signals cannot be drawn as the pictures the model was trained on: their sheet is not "
            "one that this version draws; build the dataset as pictures of that kind"
        )
    return sheet


def as_millivolts(
    signal: Int16[Array, "b l t"], storage: Mapping[str, Any]
) -> Float32[Array, "b l t"]:
    """Stored samples in mV, NaN where nothing is recorded."""
    millivolts = signal.astype(jnp.float32) * (storage["uv_per_lsb"] / 1000)
    return jnp.where(signal == storage["missing"], jnp.nan, millivolts)


def standardise(
    images: UInt8[Array, "b h w c"] | Float32[Array, "b h w c"], specification: Mapping[str, Any]
) -> Float32[Array, "b h w c"]:
    """Pixels as the model sees them: share of full scale, minus the mean, over the deviation."""
    mean = jnp.asarray(specification["mean"], jnp.float32).reshape(1, 1, 1, -1)
    std = jnp.asarray(specification["std"], jnp.float32).reshape(1, 1, 1, -1)
    return (images.astype(jnp.float32) / 255 - mean) / std


def truth_of(dataset: Dataset, task: str) -> np.ndarray:
    """The task's labels (n, k), NaN where unknown."""
    label_set = dataset.label_set(task)
    source = dataset.source.only("labels")
    return np.stack([label_set.read(source[i]) for i in range(len(source))])


def values_of(dataset: Dataset, target: NumberTarget) -> np.ndarray:
    """The values of an outcome (n,), float64, NaN where unknown."""
    source = dataset.source.only(target.feature)
    found = [target.read(source[i])[0] for i in range(len(source))]
    return np.array(found, np.float64)
