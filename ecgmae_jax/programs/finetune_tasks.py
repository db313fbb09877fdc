"""What a model is fine-tuned for: classes or a value, with the loss, and what it is judged by."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.targets import NumberTarget, target_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.models.classification import class_weights, classification_losses
from ecgmae_jax.models.regression import squared_losses
from ecgmae_jax.programs import validation
from ecgmae_jax.programs.classifier_training import Losses
from ecgmae_jax.programs.inputs import truth_of, values_of


@dataclasses.dataclass(frozen=True)
class FinetuneTask:
    """What the training needs to know of a task.

    Attributes:
        described: as `Finetuned.label_set`.
        metric: of the validation records, the more the better.
    """

    described: Mapping[str, Any]
    losses: Losses
    metric: str


def make_task(
    train: Dataset,
    *,
    label: str,
    weights: str,
    focal_gamma: float,
    smoothing: float,
    mixing: float,
) -> FinetuneTask:
    """The named task of the training pictures.

    An outcome that is a value is learnt in deviations from the mean of the training pictures, and
    has no weights, smoothing or mixing.

    Args:
        train: the training pictures.
        label: name of a label set or of an outcome.
        weights: of classes, `kind` of `class_weights`.
        focal_gamma: as in `classification_losses`.
        smoothing: of labels.
        mixing: share of the batches whose pictures are mixed.

    Raises:
        InputError: no such task, or settings that a value cannot have.
    """
    target = target_of(train, label)
    if isinstance(target, LabelSet):
        return _classes(train, target, weights=weights, focal_gamma=focal_gamma)
    wrong = [
        f"--config.{name}={wanted}"
        for name, found, wanted in (
            ("label_smoothing", smoothing, 0.0),
            ("class_weights", weights, "none"),
            ("focal_gamma", focal_gamma, 0.0),
            ("mixing.probability", mixing, 0.0),
        )
        if found != wanted
    ]
    if wrong:
        raise InputError(
            f"config.label {label!r} is a number, and some settings are for classes: give "
            f"{' '.join(wrong)}"
        )
    return _number(train, target)


def _classes(
    train: Dataset, label_set: LabelSet, *, weights: str, focal_gamma: float
) -> FinetuneTask:
    of_classes = class_weights(
        truth_of(train, label_set.name), kind=weights, exclusive=label_set.exclusive
    )
    losses = functools.partial(
        classification_losses,
        weights=jnp.asarray(of_classes),
        focal_gamma=focal_gamma,
        exclusive=label_set.exclusive,
    )
    return FinetuneTask(label_set.as_dict(), losses, validation.METRIC)


def _number(train: Dataset, target: NumberTarget) -> FinetuneTask:
    values = values_of(train, target)
    known = values[~np.isnan(values)]
    if not len(known) or not np.ptp(known):
        raise InputError(
            f"{target.name!r} is known of {len(known)} training pictures and has no two different "
            "values there; choose other splits or another outcome"
        )
    mean, deviation = float(known.mean()), float(known.std())
    described = {"classes": ["value"], "exclusive": False, "empty_is_missing": False}
    return FinetuneTask(
        described | {"scale": [mean, deviation]},
        functools.partial(squared_losses, mean=mean, deviation=deviation),
        validation.NUMBER_METRIC,
    )
