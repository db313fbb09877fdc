"""Judges a fine-tuned classifier or a fitted probe on a dataset it was not made with."""

import pathlib

import ml_collections
import numpy as np
import pandas as pd

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.programs import (
    classifiers,
    finetune_data,
    fitted_models,
    inputs,
    judgement,
    workdirs,
)
from ecgmae_jax.programs.computing import make_compute


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes predictions.csv and metrics.json for the splits of the config."""
    splits = (*config.splits, *config.validation)
    datasets = [open_dataset(**config.data, split=split) for split in splits]
    model = fitted_models.load_model(config.model, compute=make_compute(**config.compute))
    for dataset in datasets:
        inputs.check_input(dataset, model.specification)
    tests = datasets[: len(config.splits)]
    leakage = finetune_data.check_pretraining(
        tests, fitted_models.identities_folder(config.model), allowed=config.allow_overlap
    )
    labels = [fitted_models.labels_for(dataset, model.task, model.classes) for dataset in datasets]
    found = [
        classifiers.predict_split(
            model.rows, dataset, model.specification, batch_size=config.batch_size
        )
        for dataset in datasets
    ]
    fingerprints = {datasets[0].name: datasets[0].fingerprint}
    record = workdirs.open_workdir(workdir, config, data=fingerprints)
    table, metrics = judgement.judge(
        pd.concat([judgement.record_columns(one) for one in datasets], ignore_index=True),
        _stacked(labels),
        np.concatenate(found),
        rule=model.rule,
        probabilities=model.probabilities,
        task=model.task,
        model="model",
        settings=config.bootstrap.to_dict(),
        seed=config.seed,
        validation=config.validation,
    )
    metrics |= {"program": "evaluate", "code": record["versions"]["code"], "model": model.origin}
    metrics["leakage"] = leakage
    judgement.publish_judgement(workdir, table, metrics, model="model")


def _stacked(labels: list[Labels]) -> Labels:
    first = labels[0]
    values = np.concatenate([one.values for one in labels])
    return Labels(first.classes, first.exclusive, first.empty_is_missing, values)
