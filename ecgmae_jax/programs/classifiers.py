"""A fine-tuned classifier, or regression: how it is made, kept and asked."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.models.classification import probabilities
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, model_graph
from ecgmae_jax.models.heads import Classifier, ClassifierConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import encoders, inputs
from ecgmae_jax.programs.averaging import judged
from ecgmae_jax.programs.checkpoint_meta import other_versions_refused, require_program
from ecgmae_jax.training.checkpoints import load_params


@dataclasses.dataclass(frozen=True)
class Finetuned:
    """A classifier as a checkpoint holds it.

    Attributes:
        label_set: the classes, as `LabelSet.as_dict` says them; of an outcome that is a value, one
            class `value` and besides `scale`, mean and deviation of the training pictures.
        specification: of the input, see `inputs.input_specification`.
        aggregation: how the answers for a record's pictures become one: `mean` or `max`.
        step: updates made when it was saved.
    """

    config: ClassifierConfig
    params: Params
    task: str
    label_set: dict[str, Any]
    specification: dict[str, Any]
    aggregation: str
    step: int
    fingerprint: str


def classifier_maker(
    config: ClassifierConfig, compute: Compute
) -> Callable[[PRNGKeyArray], Classifier]:
    """The function that builds the classifier from a key."""
    return lambda key: Classifier(config, key=key, compute=compute)


def describe(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    *,
    task: str,
    label_set: Mapping[str, Any],
    aggregation: str,
) -> dict[str, Any]:
    """What a checkpoint has to say for `load_finetuned`, as JSON can hold it."""
    return {
        "input": dict(specification),
        "encoder": dataclasses.asdict(config.encoder),
        "task": task,
        "label_set": dict(label_set),
        "aggregation": aggregation,
    }


def load_finetuned(workdir: pathlib.Path, *, which: str) -> Finetuned:
    """The classifier that the finetune program left in `workdir`; `which` is last or best.

    Where the parameters were averaged it is their average.
    """
    loaded = load_params(workdir / "checkpoints", which=which)
    meta = loaded.meta
    require_program(meta, "finetune", workdir=workdir)
    with other_versions_refused(workdir):
        sizes = meta["encoder"] | {
            name: tuple(meta["encoder"][name]) for name in ("image_size", "patch_size")
        }
        config = ClassifierConfig(ViTConfig(**sizes), num_classes=len(meta["label_set"]["classes"]))
        return Finetuned(
            config,
            judged(loaded.params),
            meta["task"],
            meta["label_set"],
            meta["input"],
            meta["aggregation"],
            loaded.step,
            loaded.fingerprint,
        )


def scale_of(label_set: Mapping[str, Any]) -> tuple[float, float] | None:
    """Mean and deviation of an outcome that is a value; None of classes."""
    return tuple(label_set["scale"]) if "scale" in label_set else None


def require_classes(model: Finetuned, path: pathlib.Path) -> None:
    """InputError where the model answers with a value: who asks needs probabilities."""
    if scale_of(model.label_set) is not None:
        raise InputError(
            f"{path} was fine-tuned on the number {model.task!r}, and this program takes models of "
            "classes; its predictions of the test records are in predictions.csv there"
        )


def make_answers(
    config: ClassifierConfig,
    specification: Mapping[str, Any],
    *,
    exclusive: bool,
    compute: Compute,
    scale: tuple[float, float] | None = None,
) -> Callable[[Params, Any], jax.Array]:
    """A jitted function from a model's parameters and uint8 pictures to (b, k).

    Probabilities; with the `scale` of an outcome that is a value, values.
    """
    statistics = tuple((name, tuple(specification[name])) for name in ("mean", "std"))
    return _answers(config, statistics, exclusive, compute, scale)


# Evaluation, test and every round of a cross-validation ask for the same one.
@functools.lru_cache(maxsize=8)
def _answers(
    config: ClassifierConfig,
    statistics: tuple[tuple[str, tuple[float, ...]], ...],
    exclusive: bool,
    compute: Compute,
    scale: tuple[float, float] | None,
) -> Callable[[Params, Any], jax.Array]:
    graph = model_graph(classifier_maker(config, compute))

    @jax.jit
    def compute_answers(params: Params, images: jax.Array) -> jax.Array:
        scores = bind(graph, params)(inputs.standardise(images, dict(statistics)))
        if scale is not None:
            return scale[0] + scale[1] * scores
        return probabilities(scores, exclusive=exclusive)

    return compute_answers


def predict_pictures(
    model: Finetuned, dataset: Dataset, *, batch_size: int, compute: Compute
) -> np.ndarray:
    """The answers for every picture of a split, (n, k)."""
    function = make_answers(
        model.config,
        model.specification,
        exclusive=model.label_set["exclusive"],
        compute=compute,
        scale=scale_of(model.label_set),
    )
    return predict_split(
        functools.partial(function, model.params),
        dataset,
        model.specification,
        batch_size=batch_size,
    )


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
