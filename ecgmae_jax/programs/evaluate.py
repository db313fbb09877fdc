"""Judges a fine-tuned classifier or a fitted probe on a dataset it was not made with."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import ml_collections
import numpy as np
import pandas as pd

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.probe_files import load_probe
from ecgmae_jax.evaluation.probes import predict
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.programs import classifiers, encoders, inputs, judgement, workdirs


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes predictions.csv and metrics.json for the splits of the config."""
    tests = [open_dataset(**config.data, split=split) for split in config.splits]
    path = pathlib.Path(config.model).expanduser()
    compute = encoders.make_compute(**config.compute)
    loaded = _load_probe if path.suffix == ".npz" else _load_finetuned
    model = loaded(path, compute=compute)
    for test in tests:
        inputs.check_input(test, model.specification)
    found = [
        classifiers.predict_split(
            model.function, test, model.specification, batch_size=config.batch_size
        )
        for test in tests
    ]
    labels = judgement.labels_of(tests, model.task)
    labels = _only(labels, model.classes, name=tests[0].name, task=model.task)
    record = workdirs.open_workdir(workdir, config, data={tests[0].name: tests[0].fingerprint})
    table, metrics = judgement.judge(
        pd.concat([judgement.record_columns(test) for test in tests], ignore_index=True),
        labels,
        np.concatenate(found),
        rule=model.rule,
        probabilities=model.probabilities,
        task=model.task,
        model="model",
        settings=config.bootstrap.to_dict(),
        seed=config.seed,
    )
    metrics |= {"program": "evaluate", "code": record["versions"]["code"], "model": model.origin}
    judgement.publish_judgement(workdir, table, metrics, model="model")


@dataclasses.dataclass(frozen=True)
class _Model:
    """Something to judge.

    Attributes:
        function: from pictures to a row each.
        rule: how the rows of a record's pictures become one.
        probabilities: from a record's row to its probabilities of the classes.
    """

    function: Callable[[np.ndarray], Any]
    rule: str
    probabilities: Callable[[np.ndarray], np.ndarray]
    task: str
    classes: tuple[str, ...]
    specification: Mapping[str, Any]
    origin: Mapping[str, str]


def _load_finetuned(path: pathlib.Path, *, compute: Compute) -> _Model:
    """The classifier of a finetune workdir; a record's probabilities are its pictures' mean."""
    model = classifiers.load_finetuned(path, which="best")
    function = classifiers.make_probabilities(
        model.config, model.specification, exclusive=model.label_set["exclusive"], compute=compute
    )
    origin = {"kind": "fine-tuned", "path": str(path), "fingerprint": model.fingerprint}
    return _Model(
        function=functools.partial(function, jax.device_put(model.params)),
        rule="mean",
        probabilities=np.asarray,
        task=model.task,
        classes=tuple(model.label_set["classes"]),
        specification=model.specification,
        origin=origin,
    )


def _load_probe(path: pathlib.Path, *, compute: Compute) -> _Model:
    """A probe of linear_probe, with the encoder and the aggregation it was fitted with."""
    probe = load_probe(path)
    facts: Mapping[str, Any] = probe.metadata
    if facts.get("encoder") not in ("MAE", "random"):
        raise InputError(
            f"{path} was fitted on {facts.get('encoder')!r} features, which are not kept; "
            "evaluate a probe of the row MAE or random"
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
    features: Callable = encoders.make_features(
        pretrained.config.encoder,
        pretrained.specification,
        compute=compute,
        pooling=facts["pooling"],
    )

    return _Model(
        function=functools.partial(features, params),
        rule=facts["aggregation"],
        probabilities=functools.partial(predict, probe),
        task=facts["task"],
        classes=probe.classes,
        specification=pretrained.specification,
        origin={"kind": "probe", "path": str(path), "checkpoint": pretrained.fingerprint},
    )


def _only(labels: Labels, classes: tuple[str, ...], *, name: str, task: str) -> Labels:
    """The columns of the classes that the model knows, in its order."""
    absent = [one for one in classes if one not in labels.classes]
    if absent:
        raise InputError(
            f"{name} has no class {absent} in label {task!r}, which the model predicts; it has "
            f"{list(labels.classes)}: evaluate on a dataset with the same classes"
        )
    columns = [labels.classes.index(one) for one in classes]
    return Labels(classes, labels.exclusive, labels.empty_is_missing, labels.values[:, columns])
