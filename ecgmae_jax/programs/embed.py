"""Turns the pictures of a dataset into vectors: by a pre-trained encoder and by its baselines."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import ml_collections
import numpy as np
import pandas as pd

from ecgmae_jax.data.pretraining_overlap import dataset_overlap
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings, write_embeddings
from ecgmae_jax.evaluation.readouts.baselines import PixelPca, fit_pixel_pca
from ecgmae_jax.evaluation.readouts.random_convolutions import make_random_convolutions
from ecgmae_jax.programs import encoders, inputs, workdirs
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.judgement import labels_of, record_columns

# Row -> the beginning of its files' names.
FILES = {
    "MAE": "embeddings",
    "random": "embeddings_random",
    "convolutions": "embeddings_convolutions",
    "PCA": "embeddings_pca",
}
BASELINES = tuple(name for name in FILES if name != "MAE")


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `embeddings.parquet` and a file for each baseline, rows in the same order.

    Every further pooling has files of its own, `embeddings_<pooling>.parquet` and
    `embeddings_random_<pooling>.parquet`, from the same pass over the pictures.
    """
    unknown = sorted(set(config.baselines) - set(BASELINES))
    if unknown:
        raise InputError(f"config.baselines names {unknown}; there are {sorted(BASELINES)}")
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
    numbers = numbers_of(splits)
    folder = pathlib.Path(config.checkpoint).expanduser()
    overlaps = {one.split: dataset_overlap(one, folder) for one in splits}
    facts = {
        # By split; null where the pre-training does not say what it was made of.
        "pretraining_overlap": {
            split: overlap and dataclasses.asdict(overlap) for split, overlap in overlaps.items()
        },
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
    for name, pooling in [(name, pooling) for name, found in parts[0].items() for pooling in found]:
        checkpoint = pretrained.fingerprint if name == "MAE" else "none"
        metadata = {"encoder": name, "pooling": pooling, "checkpoint": checkpoint} | facts
        matrix = np.concatenate([part[name][pooling] for part in parts]).astype(np.float32)
        is_further = name in ("MAE", "random") and pooling != config.pooling
        path = workdir / f"{FILES[name]}{f'_{pooling}' if is_further else ''}.parquet"
        write_embeddings(path, Embeddings(frame, labels, matrix, metadata, numbers))
        print(f"{path}: {matrix.shape[0]} x {matrix.shape[1]}")


def numbers_of(datasets: Sequence[Dataset]) -> dict[str, np.ndarray]:
    """Numeric outcomes of all pictures of some splits, in their order; none for most datasets.

    A value has its outcome's name; of a time to an event there are `<name>.time` and
    `<name>.event`.
    """
    try:
        sources = [dataset.source.only("targets") for dataset in datasets]
    except InputError:
        return {}
    rows = [source[i]["targets"] for source in sources for i in range(len(source))]
    return {
        name if part == "value" else f"{name}.{part}": np.array(
            [row[name][part] for row in rows], np.float64
        )
        for name, parts in rows[0].items()
        for part in parts
    }


def _functions(
    config: ml_collections.ConfigDict, pretrained: encoders.Pretrained, *, fit_on: Dataset
) -> dict[str, Callable[[np.ndarray], dict[str, Any]]]:
    """Row -> function from uint8 pictures to pooling -> features."""
    encoder, specification = pretrained.config.encoder, pretrained.specification
    compute_features = encoders.make_poolings(
        encoder,
        specification,
        compute=make_compute(**config.compute),
        poolings=(config.pooling, *config.further_poolings),
    )
    functions: dict[str, Callable[[np.ndarray], dict[str, Any]]] = {
        "MAE": functools.partial(compute_features, jax.device_put(pretrained.params["encoder"]))
    }
    if "random" in config.baselines:
        untrained = encoders.random_encoder(encoder, seed=config.seed)
        functions["random"] = functools.partial(compute_features, untrained)
    if "convolutions" in config.baselines:
        functions["convolutions"] = _convolutions(config, specification)
    if "PCA" in config.baselines:
        transform = _fit_pca(config, specification, fit_on).transform
        functions["PCA"] = lambda images: {"pixels": transform(images)}
    return functions


def _convolutions(
    config: ml_collections.ConfigDict, specification: Mapping[str, Any]
) -> Callable[[np.ndarray], dict[str, Any]]:
    rows, columns = config.convolutions.regions
    convolve = make_random_convolutions(
        channels=specification["channels"],
        num_filters=config.convolutions.filters,
        size=config.convolutions.size,
        stride=config.convolutions.stride,
        regions=(rows, columns),
        seed=config.seed,
    )
    pooling = f"regional-{rows}x{columns}"
    return lambda images: {pooling: convolve(inputs.standardise(images, specification))}


def _fit_pca(config: ml_collections.ConfigDict, specification: dict, dataset: Dataset) -> PixelPca:
    """Fitted on the first split of the config alone, on an even sample where it is large."""
    if config.pca.max_pictures < 2:
        raise InputError(f"config.pca.max_pictures is {config.pca.max_pictures}; 2 are the fewest")
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
