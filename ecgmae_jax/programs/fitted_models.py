"""What finetune and linear_probe leave behind, loaded to be used: a classifier, or a probe."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.readouts.probe_files import load_probe
from ecgmae_jax.evaluation.readouts.probes import Probe, predict
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params
from ecgmae_jax.programs import classifiers, encoders, judgement


@dataclasses.dataclass(frozen=True)
class FittedModel:
    """Something that gives probabilities.

    Attributes:
        rows: from uint8 pictures to a row each: features, or probabilities already.
        rule: how the rows of a record's pictures become one.
        probabilities: from such rows to the probabilities of the classes.
    """

    rows: Callable[[np.ndarray], Any]
    rule: str
    probabilities: Callable[[np.ndarray], np.ndarray]
    task: str
    classes: tuple[str, ...]
    specification: Mapping[str, Any]
    origin: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class ProbedEncoder:
    """A probe and the encoder it was fitted on."""

    probe: Probe
    pretrained: encoders.Pretrained
    params: Params


def load_model(path: str | pathlib.Path, *, compute: Compute) -> FittedModel:
    """The model of a finetune workdir, or of a file of linear_probe's folder probes/ (.npz)."""
    path = pathlib.Path(path).expanduser()
    load = _load_probe if path.suffix == ".npz" else _load_finetuned
    return load(path, compute=compute)


def identities_folder(path: str | pathlib.Path) -> str:
    """The workdir that says whom the model was trained on: its own, or that of its encoder."""
    path = pathlib.Path(path).expanduser()
    is_probe = path.suffix == ".npz"
    return str(load_probe(path).metadata["checkpoint_folder"] if is_probe else path)


def load_probed_encoder(path: pathlib.Path) -> ProbedEncoder:
    """The probe in a file, and the encoder whose features it reads.

    Raises:
        InputError: features that no encoder gave, or a checkpoint that has changed since.
    """
    probe = load_probe(path)
    facts: Mapping[str, Any] = probe.metadata
    if facts.get("encoder") not in ("MAE", "random"):
        raise InputError(
            f"{path} was fitted on {facts.get('encoder')!r} features, which are not kept; "
            "take a probe of the row MAE or random"
        )
    pretrained = encoders.load_pretrained(facts["checkpoint_folder"], which=facts["which"])
    if facts["encoder"] == "MAE" and pretrained.fingerprint != facts["checkpoint"]:
        raise InputError(
            f"{path} was fitted on checkpoint {facts['checkpoint']}, and "
            f"{facts['checkpoint_folder']} now holds {pretrained.fingerprint}; "
            "run embed and linear_probe again"
        )
    params = pretrained.params["encoder"]
    if facts["encoder"] == "random":
        params = encoders.random_encoder(pretrained.config.encoder, seed=facts["seed"])
    return ProbedEncoder(probe, pretrained, params)


def labels_for(dataset: Dataset, task: str, classes: tuple[str, ...]) -> Labels:
    """The truth of a split for the classes that a model knows, in its order."""
    labels = judgement.labels_of([dataset], task)
    absent = [one for one in classes if one not in labels.classes]
    if absent:
        raise InputError(
            f"{dataset.name} has no class {absent} in label {task!r}, which the model predicts; it "
            f"has {list(labels.classes)}: take a dataset with the same classes"
        )
    columns = [labels.classes.index(one) for one in classes]
    return Labels(classes, labels.exclusive, labels.empty_is_missing, labels.values[:, columns])


def _load_finetuned(path: pathlib.Path, *, compute: Compute) -> FittedModel:
    model = classifiers.load_finetuned(path, which="best")
    classifiers.require_classes(model, path)
    function = classifiers.make_answers(
        model.config, model.specification, exclusive=model.label_set["exclusive"], compute=compute
    )
    return FittedModel(
        rows=functools.partial(function, jax.device_put(model.params)),
        rule=model.aggregation,
        probabilities=np.asarray,
        task=model.task,
        classes=tuple(model.label_set["classes"]),
        specification=model.specification,
        origin={"kind": "fine-tuned", "path": str(path), "fingerprint": model.fingerprint},
    )


def _load_probe(path: pathlib.Path, *, compute: Compute) -> FittedModel:
    loaded = load_probed_encoder(path)
    facts: Mapping[str, Any] = loaded.probe.metadata
    features = encoders.make_features(
        loaded.pretrained.config.encoder,
        loaded.pretrained.specification,
        compute=compute,
        pooling=facts["pooling"],
    )
    return FittedModel(
        rows=functools.partial(features, loaded.params),
        rule=facts["aggregation"],
        probabilities=functools.partial(predict, loaded.probe),
        task=facts["task"],
        classes=loaded.probe.classes,
        specification=loaded.pretrained.specification,
        origin={
            "kind": "probe",
            "path": str(path),
            "fingerprint": loaded.pretrained.fingerprint,
        },
    )
