"""What a classifier is trained on: stored pictures augmented, or signals drawn in the step."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.mixing import mix_batch, smooth_labels
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.targets import target_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import inputs
from ecgmae_jax.programs.views import Batch, View, Views, drawn_views
from ecgmae_jax.rendering.sampler import LayoutSampler


def training_views(
    dataset: Dataset,
    specification: Mapping[str, Any],
    *,
    augment: Mapping[str, Any],
    draw: str,
    random_sheets: int,
    scan: str,
    seed: int,
) -> Views:
    """The examples as pictures for a model that was pre-trained on those of `specification`.

    Args:
        augment: augmentations by name; of signals that are drawn, `random_shift` alone.
        draw: `stored` reads the pictures of the dataset; `device` draws its signals inside the
            train step, on the model's own sheet and on so many random ones of its size, and puts
            them through a scanner (`off`, `scan` or `photo`).
        seed: of the random sheets.

    Raises:
        InputError: settings that do not go together.
    """
    match draw:
        case "stored":
            if random_sheets or scan != "off":
                raise InputError(
                    f"config.random_sheets is {random_sheets} and config.scan {scan!r}, which "
                    "stored pictures cannot have: choose 0 and 'off', or --config.data.draw=device"
                )
            return _stored(specification, augment=augment)
        case "device":
            sheet = inputs.sheet_of(specification)
            sampler = LayoutSampler(
                seed, height=sheet.height, width=sheet.width, channels=sheet.channels
            )
            return drawn_views(
                dataset,
                sheets=[sheet, *sampler.sheets(random_sheets)],
                scan=scan,
                augment=augment,
                statistics=specification,
                target="pixels",
            )
    raise InputError(f"config.data.draw is {draw!r}; choose 'stored' or 'device'")


def train_batches(
    train: Dataset,
    views: Views,
    *,
    label: str,
    smoothing: float,
    mixing: Mapping[str, float],
    batch_size: int,
    workers: int,
    seed: int,
    start_step: int,
) -> Iterator[dict[str, np.ndarray]]:
    """The endless batches after `start_step`, their labels soft, their pictures perhaps mixed.

    Values, which are no labels, go without both: neither may be asked for.

    Raises:
        InputError: shares that are none, or pictures to be mixed that are drawn only later.
    """
    shares = {"label_smoothing": smoothing} | {
        f"mixing.{name}": mixing[name]
        for name in ("probability", "cutmix_probability")
        if name in mixing
    }
    if odd := {name: share for name, share in shares.items() if not 0 <= share <= 1}:
        raise InputError(f"config has {odd}; expected shares from 0 to 1")
    if mixing["probability"] and "image" not in views.keys:
        raise InputError(
            f"config.mixing.probability is {mixing['probability']:g}, and pictures that the train "
            "step draws cannot be mixed before it; choose 0, or --config.data.draw=stored"
        )
    batches = make_train_loader(
        train,
        batch_size=batch_size,
        seed=seed,
        transforms=views.transforms,
        keys=views.keys,
        label=label,
        start_step=start_step,
        num_workers=workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )
    target = target_of(train, label)
    exclusive = isinstance(target, LabelSet) and target.exclusive

    def softened() -> Iterator[dict[str, np.ndarray]]:
        for step, batch in enumerate(batches, start=start_step):
            labels = smooth_labels(batch["label"], smoothing=smoothing, exclusive=exclusive)
            batch = batch | {"label": labels}
            if mixing["probability"]:
                images, labels = mix_batch(batch["image"], labels, seed=seed, step=step, **mixing)
                batch |= {"image": images, "label": labels}
            yield batch

    return softened()


def _stored(specification: Mapping[str, Any], *, augment: Mapping[str, Any]) -> Views:
    def view(batch: Batch) -> View:
        seen = inputs.standardise(batch["image"], specification)
        return View(seen, seen)

    return Views(
        dict(specification),
        keys=("image",),
        transforms=inputs.make_augmentations(augment, specification),
        eval_transforms=inputs.resizing(specification["picture"], specification),
        view=view,
    )
