"""Writes a file of answers per record, as the PhysioNet/CinC Challenges read them."""

import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np
import pandas as pd

from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import AGGREGATIONS, aggregate_records
from ecgmae_jax.evaluation.challenge.files import output_text
from ecgmae_jax.evaluation.challenge.thresholds import HALF, check_rule, choose_threshold
from ecgmae_jax.evaluation.embeddings import Embeddings, Labels
from ecgmae_jax.evaluation.publishing import publish
from ecgmae_jax.programs import classifiers, inputs, judgement, workdirs
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.fitted_models import FittedModel, labels_for, load_model
from ecgmae_jax.programs.record_files import record_files
from ecgmae_jax.records.diagnoses import SCORED_CODES


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `outputs/<record>.csv`, and metrics.json with the thresholds."""
    _check_settings(config)
    model = load_model(config.model, compute=make_compute(**config.compute))
    codes = _codes_of(model, config.codes.to_dict())
    validation = open_dataset(**config.validation)
    splits = [open_dataset(**config.data, split=split) for split in config.splits]
    _check_apart(validation, splits)
    for dataset in (validation, *splits):
        inputs.check_input(dataset, model.specification)
    asked = {"pooling": config.pooling, "batch_size": config.batch_size}
    thresholds = _thresholds(model, validation, rule=config.threshold, **asked)
    data = {one.name: one.fingerprint for one in (*splits, validation)}
    record = workdirs.open_workdir(workdir, config, data=data)
    answers = [_records(model, dataset, {}, **asked) for dataset in splits]
    table = pd.concat([records.frame for records, _ in answers], ignore_index=True)
    outputs = _outputs(
        table, np.concatenate([found for _, found in answers]), thresholds=thresholds, codes=codes
    )
    summary = {
        "program": "predict",
        "code": record["versions"]["code"],
        "model": model.origin,
        "task": model.task,
        "pooling": model.rule if config.pooling == "model" else config.pooling,
        "threshold": {"rule": config.threshold, "fixed_on": dict(config.validation)},
        "thresholds": dict(zip(model.classes, thresholds.tolist(), strict=True)),
        "codes": codes,
        "records": len(table),
        "pictures": int(table["num_pictures"].sum()),
    }
    publish(workdir, outputs | {"metrics.json": json.dumps(summary, indent=2).encode()})
    print(f"{len(table)} records ({summary['pictures']} pictures): {workdir / 'outputs'}")


def _check_settings(config: ml_collections.ConfigDict) -> None:
    check_rule(config.threshold)
    if config.pooling not in ("model", *AGGREGATIONS):
        raise InputError(
            f"config.pooling is {config.pooling!r}; choose one of {['model', *AGGREGATIONS]}"
        )


def _check_apart(validation: Dataset, splits: Sequence[Dataset]) -> None:
    for dataset in splits:
        if (dataset.fingerprint, dataset.split) == (validation.fingerprint, validation.split):
            raise InputError(
                f"config.validation is split {dataset.split!r} of {dataset.name}, which config."
                "splits predicts: thresholds have to be fixed on other records; change one of them"
            )


def _codes_of(model: FittedModel, given: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The columns of each class: the given codes, those of the Challenge, or its own name."""
    unknown = sorted(set(given) - set(model.classes))
    if unknown:
        raise InputError(
            f"config.codes names {unknown}; the model's classes are {list(model.classes)}"
        )
    # Other labels may use the Challenge's abbreviations for something else.
    known = SCORED_CODES if model.task == "scored" else {}
    # A column for each code: the evaluator of 2020 does not read codes joined by `|`.
    codes = {
        name: tuple(given[name].split("|")) if name in given else known.get(name, (name,))
        for name in model.classes
    }
    unwritable = [one for part in codes.values() for one in part if re.search(r"[,|\s]", one)]
    if unwritable:
        raise InputError(
            f"classes {unwritable} cannot be columns of an output, whose names have no commas, "
            "bars or spaces; give their codes in config.codes"
        )
    return codes


def _records(
    model: FittedModel,
    dataset: Dataset,
    labels: Mapping[str, Labels],
    *,
    pooling: str,
    batch_size: int,
) -> tuple[Embeddings, np.ndarray]:
    """The records of a split with their labels, and their probabilities (r, k)."""
    rows = classifiers.predict_split(
        model.rows, dataset, model.specification, batch_size=batch_size
    )
    if pooling != "model":
        rows = model.probabilities(rows)
    frame = judgement.record_columns(dataset)
    pictures = Embeddings(frame, dict(labels), rows.astype(np.float32), {})
    rule = model.rule if pooling == "model" else pooling
    records = aggregate_records(pictures, rule=rule)
    found = model.probabilities(records.matrix) if pooling == "model" else records.matrix
    return records, found.astype(np.float64)


def _thresholds(model: FittedModel, validation: Dataset, *, rule: str, **asked: Any) -> np.ndarray:
    """The probability from which each class is called, by the rule on the validation records."""
    thresholds = np.full(len(model.classes), HALF)
    if rule == "half":
        return thresholds
    truth = labels_for(validation, model.task, model.classes)
    records, found = _records(model, validation, {model.task: truth}, **asked)
    values = records.labels[model.task].values
    known = ~np.isnan(values).any(axis=1)
    for k, name in enumerate(model.classes):
        chosen = choose_threshold(values[known, k], found[known, k], rule=rule)
        if chosen is None:
            print(f"{name}: all or none of {known.sum()} validation records, called from {HALF}")
        else:
            thresholds[k] = chosen
    return thresholds


def _outputs(
    frame: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    thresholds: np.ndarray,
    codes: Mapping[str, Sequence[str]],
) -> dict[str, bytes]:
    """Path -> content of every record's file."""
    columns = [(k, code) for k, part in enumerate(codes.values()) for code in part]
    classes, where = [code for _, code in columns], [k for k, _ in columns]
    called = probabilities >= thresholds
    paths = record_files(frame["record_id"].tolist(), folder="outputs", suffix=".csv")
    return {
        path: output_text(
            record_id, classes, called[row, where].tolist(), probabilities[row, where].tolist()
        ).encode()
        for row, (path, record_id) in enumerate(zip(paths, frame["record_id"], strict=True))
    }
