"""Turns the pictures of a dataset into vectors: by a pre-trained encoder and by its baselines."""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import numpy as np
import pandas as pd

from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.baselines import PixelPca, fit_pixel_pca
from ecgmae_jax.evaluation.embeddings import Embeddings, write_embeddings
from ecgmae_jax.programs import encoders, inputs, workdirs
from ecgmae_jax.programs.judgement import labels_of, record_columns

FILES = {
    "MAE": "embeddings.parquet",
    "random": "embeddings_random.parquet",
    "PCA": "embeddings_pca.parquet",
}


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `embeddings.parquet` and a file for each baseline, rows in the same order."""
    unknown = sorted(set(config.baselines) - {"random", "PCA"})
    if unknown:
        raise InputError(f"config.baselines names {unknown}; there are ['PCA', 'random']")
    pretrained = encoders.load_pretrained(config.checkpoint, which=config.which)
    splits = [open_dataset(**config.data, split=split) for split in config.splits]
    for dataset in splits:
        inputs.check_input(dataset, pretrained.specification)
    record = workdirs.open_workdir(workdir, config, data={splits[0].name: splits[0].fingerprint})
    functions = _functions(config, pretrained, fit_on=splits[0])
    parts = []
    for dataset in splits:
        parts.append(
            encoders.embed_split(
                dataset,
                pretrained.specification,
                functions=functions,
                batch_size=config.batch_size,
            )
        )
        print(f"{dataset.split}: {len(dataset)} pictures", flush=True)
    frame = pd.concat([record_columns(dataset) for dataset in splits], ignore_index=True)
    labels = {task: labels_of(splits, task) for task in splits[0].label_sets}
    for name in functions:
        metadata = {
            "encoder": name,
            "pooling": "pixels" if name == "PCA" else config.pooling,
            "checkpoint": pretrained.fingerprint if name == "MAE" else "none",
            "checkpoint_folder": str(config.checkpoint),
            "which": config.which,
            "dataset": {
                "name": splits[0].name,
                "config": splits[0].config,
                "fingerprint": splits[0].fingerprint,
            },
            "input": pretrained.specification,
            "seed": config.seed,
            "code": record["versions"]["code"],
        }
        matrix = np.concatenate([part[name] for part in parts]).astype(np.float32)
        path = workdir / FILES[name]
        write_embeddings(path, Embeddings(frame, labels, matrix, metadata))
        print(f"{path}: {matrix.shape[0]} x {matrix.shape[1]}")


def _functions(
    config: ml_collections.ConfigDict, pretrained: encoders.Pretrained, *, fit_on: Dataset
) -> dict[str, Callable[[np.ndarray], Any]]:
    """Encoder name -> function from uint8 pictures to features."""
    encoder = pretrained.config.encoder
    compute_features = encoders.make_features(
        encoder,
        pretrained.specification,
        compute=encoders.make_compute(**config.compute),
        pooling=config.pooling,
    )
    functions: dict[str, Callable[[np.ndarray], Any]] = {
        "MAE": functools.partial(compute_features, jax.device_put(pretrained.params["encoder"]))
    }
    if "random" in config.baselines:
        untrained = encoders.random_encoder(encoder, seed=config.seed)
        functions["random"] = functools.partial(compute_features, untrained)
    if "PCA" in config.baselines:
        functions["PCA"] = _fit_pca(config, pretrained.specification, fit_on).transform
    return functions


def _fit_pca(config: ml_collections.ConfigDict, specification: dict, dataset: Dataset) -> PixelPca:
    """Fitted on the first split of the config alone, on an even sample where it is large."""
    keep = np.linspace(0, len(dataset) - 1, min(len(dataset), config.pca.max_pictures)).round()
    wanted = set(keep.astype(int).tolist())
    batches = encoders.eval_batches(dataset, specification, batch_size=config.batch_size)
    pictures = [
        image
        for batch in batches
        for image, index in zip(batch["image"], batch["index"], strict=True)
        if int(index) in wanted
    ]
    return fit_pixel_pca(
        np.stack(pictures),
        num_components=min(config.pca.components, len(pictures) - 1),
        seed=config.seed,
        downscale=config.pca.downscale,
    )
