"""What a masked autoencoder sees of an example, and the picture it is to predict of it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import inputs
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.rendering.sheet import Sheet

Batch = Mapping[str, Array]
TARGETS = ("pixels", "clean", "ink")


class View(NamedTuple):
    """A batch as the encoder sees it and as the decoder is to predict it, both standardised."""

    seen: Float32[Array, "b h w c"]
    target: Float32[Array, "b h w c"]


@dataclasses.dataclass(frozen=True)
class Views:
    """How a dataset's examples become views.

    Attributes:
        specification: of the input, see `inputs.input_specification`.
        keys: the features that a batch has to carry.
        transforms: of the examples for training, before they are batched.
        eval_transforms: of those for evaluation.
        view: a pure function from a batch to its view; to be called inside a jit.
    """

    specification: dict[str, Any]
    keys: tuple[str, ...]
    transforms: tuple
    eval_transforms: tuple
    view: Callable[[Batch], View]


def stored_views(
    dataset: Dataset, *, augment: Mapping[str, Any], statistics: Mapping[str, Any], target: str
) -> Views:
    """The pictures of the dataset, which are their own targets."""
    if target != "pixels":
        raise InputError(
            f"config.target is {target!r}, and stored pictures hold nothing but their pixels; "
            "choose 'pixels', or draw them: --config.data.draw=device"
        )
    specification = inputs.input_specification(
        dataset.picture, name=_name(dataset), augment=augment, statistics=statistics
    )

    def view(batch: Batch) -> View:
        seen = inputs.standardise(batch["image"], specification)
        return View(seen, seen)

    return Views(
        specification,
        keys=("image",),
        transforms=inputs.make_augmentations(augment, specification),
        eval_transforms=inputs.resizing(dataset.picture, specification),
        view=view,
    )


def drawn_views(
    dataset: Dataset,
    *,
    sheets: Sequence[Sheet],
    scan: str,
    augment: Mapping[str, Any],
    statistics: Mapping[str, Any],
    target: str,
) -> Views:
    """Sheets drawn of the dataset's signals inside the step, new ones at every epoch.

    A picture follows from the example's signal and its `key` alone: batch size, devices and mesh
    do not enter.

    Args:
        dataset: of signals.
        sheets: those to choose from at random; the first is the one that stands in the
            specification, and on which the model is evaluated.
        scan: the scanner's artefacts by preset, or `off`.
        augment: `random_shift` or nothing: the others work on stored pictures.
        statistics: `mean` and `std` of a pixel, share of full scale.
        target: `pixels`, as they are seen; `clean`, the sheet without what a scanner adds; `ink`,
            the share of each pixel that the traces cover, in the pixels' deviations.
    """
    if target not in TARGETS:
        raise InputError(f"config.target is {target!r}; choose one of {', '.join(TARGETS)}")
    if others := sorted(set(augment) - {"random_shift"}):
        raise InputError(
            f"config.augment names {others}, which work on stored pictures; a drawn one takes "
            "'random_shift'"
        )
    storage = _signal_storage(dataset)
    specification = inputs.input_specification(
        sheets[0].as_dict(), name=_name(dataset), augment={}, statistics=statistics
    )
    deck = make_deck(sheets, rate_hz=storage["rate_hz"])
    scan_sheets = _make_scanner(scan, sheets[0], fill="zero" if target == "ink" else "edge")
    max_px = augment.get("random_shift", {"max_px": 0})["max_px"]
    std = jnp.asarray(specification["std"], jnp.float32).reshape(1, 1, 1, -1)

    def view(batch: Batch) -> View:
        keys = jax.vmap(lambda key: jax.random.split(jax.random.key(key), 3))(batch["key"])
        which = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(sheets)))(keys[:, 0])
        drawn = draw(deck, inputs.as_millivolts(batch["signal"], storage), which)
        wanted = drawn.ink if target == "ink" else drawn.image.astype(jnp.float32)
        image, wanted = scan_sheets(drawn.image, wanted, keys[:, 1])
        image, wanted = _shifted((image, wanted), keys[:, 2], max_px=max_px)
        seen = inputs.standardise(image, specification)
        predicted = {
            "pixels": lambda: seen,
            "clean": lambda: inputs.standardise(wanted, specification),
            "ink": lambda: wanted / std,
        }
        return View(seen, predicted[target]())

    return Views(
        specification, keys=("signal", "key"), transforms=(), eval_transforms=(), view=view
    )


def _make_scanner(name: str, sheet: Sheet, *, fill: str) -> Callable:
    """A function (images, wanted, keys) -> the scans, and `wanted` under the scans' geometry."""
    if name == "off":
        return lambda images, wanted, keys: (images, wanted)
    scan = make_scanner(
        preset(name),
        height=sheet.height,
        width=sheet.width,
        channels=sheet.channels,
        px_per_mm=sheet.px_per_mm,
        fills=(fill,),
    )

    def scan_sheets(images: Array, wanted: Array, keys: Array) -> tuple[Array, Array]:
        scans, (placed,) = scan(images, keys, (wanted,))
        return scans, placed

    return scan_sheets


def views_of_model(dataset: Dataset, specification: Mapping[str, Any], *, target: str) -> Views:
    """A dataset's views as a trained model had them, without augmentation.

    Raises:
        InputError: pictures of another kind, or stored ones where the model predicts other than
            pixels.
    """
    inputs.check_input(dataset, specification)
    settings = {"augment": {}, "statistics": specification, "target": target}
    if "signal" in dataset.picture:
        return drawn_views(dataset, sheets=[inputs.sheet_of(specification)], scan="off", **settings)
    return stored_views(dataset, **settings)


def _signal_storage(dataset: Dataset) -> dict[str, Any]:
    if "signal" not in dataset.picture:
        raise InputError(
            f"{_name(dataset)} holds pictures, and config.data.draw is 'device'; choose "
            "--config.data.config=signal, or --config.data.draw=stored"
        )
    return dataset.picture["signal"]


def _name(dataset: Dataset) -> str:
    return f"{dataset.name}/{dataset.config}"


def _shifted(pictures: tuple[Array, ...], keys: Array, *, max_px: int) -> tuple[Array, ...]:
    """The pictures of each example moved by the same whole pixels, their edges repeated."""
    if max_px == 0:
        return pictures

    def shifted(key: Array, *pictures: Array) -> list[Array]:
        top, left = jax.random.randint(key, (2,), 0, 2 * max_px + 1)
        border = ((max_px, max_px), (max_px, max_px), (0, 0))
        return [
            jax.lax.dynamic_slice(jnp.pad(p, border, mode="edge"), (top, left, 0), p.shape)
            for p in pictures
        ]

    return tuple(jax.vmap(shifted)(keys, *pictures))
