"""A fine-tuned classifier: how it is made, kept and asked."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.evaluation.discrimination import auroc, labels_with
from ecgmae_jax.models.classification import classification_losses, probabilities
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, model_graph
from ecgmae_jax.models.heads import Classifier, ClassifierConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import encoders, inputs
from ecgmae_jax.training.checkpoints import load_params
from ecgmae_jax.training.loop import Evaluator
from ecgmae_jax.training.steps import LossFn


@dataclasses.dataclass(frozen=True)
class Finetuned:
    """A classifier as a checkpoint holds it.

    Attributes:
        label_set: the classes, as `LabelSet.as_dict` says them.
        specification: of the input, see `inputs.input_specification`.
    """

    config: ClassifierConfig
    params: Params
    task: str
    label_set: dict[str, Any]
    specification: dict[str, Any]
    fingerprint: str


def classifier_maker(
    config: ClassifierConfig, compute: Compute
) -> Callable[[PRNGKeyArray], Classifier]:
    """The function that builds the classifier from a key."""
    return lambda key: Classifier(config, key=key, compute=compute)


def load_finetuned(workdir: pathlib.Path, *, which: str) -> Finetuned:
    """The classifier that the finetune program left in `workdir`; `which` is last or best."""
    loaded = load_params(workdir / "checkpoints", which=which)
    meta = loaded.meta
    sizes = meta["encoder"] | {
        name: tuple(meta["encoder"][name]) for name in ("image_size", "patch_size")
    }
    config = ClassifierConfig(ViTConfig(**sizes), num_classes=len(meta["label_set"]["classes"]))
    return Finetuned(
        config, loaded.params, meta["task"], meta["label_set"], meta["input"], loaded.fingerprint
    )


def make_probabilities(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    *,
    exclusive: bool,
    compute: Compute,
) -> Callable[[Params, Any], jax.Array]:
    """A jitted function from a classifier's parameters and uint8 pictures to (b, k)."""
    graph = model_graph(classifier_maker(config, compute))

    @jax.jit
    def compute_probabilities(params: Params, images: jax.Array) -> jax.Array:
        scores = bind(graph, params)(inputs.standardise(images, specification))
        return probabilities(scores, exclusive=exclusive)

    return compute_probabilities


def predict_split(
    function: Callable[[np.ndarray], Any],
    dataset: Dataset,
    specification: Mapping[str, Any],
    *,
    batch_size: int,
) -> np.ndarray:
    """`function` of every picture of a split, (n, k)."""
    return encoders.embed_split(
        dataset, specification, functions={"": function}, batch_size=batch_size
    )[""]


def make_loss(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    *,
    weights: np.ndarray,
    exclusive: bool,
    compute: Compute,
) -> LossFn:
    """The training loss: the mean over the examples of a batch whose label is known."""
    graph = model_graph(classifier_maker(config, compute))

    def loss_fn(params: Params, batch: Mapping[str, Any], key: PRNGKeyArray):
        scores = bind(graph, params)(inputs.standardise(batch["image"], specification), key=key)
        losses, known = classification_losses(
            scores, batch["label"], weights=jnp.asarray(weights), exclusive=exclusive
        )
        return losses.sum() / jnp.maximum(known.sum(), 1.0), {"known": known.mean()}

    return loss_fn


def make_auroc_evaluator(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    validation: Dataset,
    *,
    task: str,
    batch_size: int,
    compute: Compute,
) -> Evaluator:
    """Macro AUROC over the labels of a split, by which the best state is chosen."""
    truth = inputs.truth_of(validation, task)
    known = ~np.isnan(truth).any(axis=1)
    columns = np.flatnonzero(labels_with(truth[known]))
    function = make_probabilities(
        config,
        specification,
        exclusive=validation.label_set(task).exclusive,
        compute=compute,
    )

    def evaluator(params: Params) -> dict[str, float]:
        found = predict_split(
            functools.partial(function, params), validation, specification, batch_size=batch_size
        )[known]
        areas = [auroc(truth[known][:, k], found[:, k]) for k in columns]
        return {"validation_auroc": float(np.mean(areas))}

    return evaluator
