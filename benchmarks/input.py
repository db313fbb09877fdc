"""What the loader delivers against what the train step of a ViT-B/16 consumes, by form of storage.

    python benchmarks/input.py                 # 384x512 sheets, about three minutes on two cores
    python benchmarks/input.py --examples=4000 --workers=8 --batch=256

The same simulated recordings are stored four ways in ArrayRecord: as raw pixels, PNG, JPEG
(quality 95), and as samples (the `signal` form, drawn by the step on the device). The loader alone
is read through by turns for each; the step is timed in the same run, once on pictures and, for
`signal`, once with the drawing inside it. The ratio is examples delivered over examples consumed.
Prints one JSON line for each storage.
"""

import argparse
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import tensorflow_datasets as tfds
from mae_step import make_mae_step, make_runner, one_device
from PIL import Image

from data_builders.contents import MISSING, RATE_HZ, UV_PER_LSB
from data_builders.simulated_ecg import population
from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.records.resampling import resample
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet

_HEIGHT, _WIDTH, _SAMPLES = 384, 512, 5000
_STORAGES = ("raw", "png", "jpeg", "signal")
_DISTINCT = 64  # recordings; each is stored several times, which no storage here can tell


def stored(storage: str, image: np.ndarray, signal: np.ndarray) -> Any:
    """An example's content in that form."""
    if storage in ("raw", "signal"):
        return image if storage == "raw" else signal
    buffer = io.BytesIO()
    options = {"quality": 95} if storage == "jpeg" else {}
    Image.fromarray(image[:, :, 0]).save(buffer, storage, **options)
    return buffer.getvalue()


def content_feature(storage: str) -> tfds.features.FeatureConnector:
    """The feature in which that form is kept."""
    shape = (_HEIGHT, _WIDTH, 1)
    if storage == "raw":
        return tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding="bytes")
    if storage == "signal":
        return tfds.features.Tensor(shape=(12, _SAMPLES), dtype=np.int16, encoding="bytes")
    return tfds.features.Image(shape=shape, encoding_format=storage)


class Storage(tfds.core.GeneratorBasedBuilder):
    """The recordings in one form, told by the config's name."""

    name = "storage"
    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in _STORAGES]  # noqa: RUF012
    signals: np.ndarray
    images: np.ndarray
    examples: int

    def _info(self) -> tfds.core.DatasetInfo:
        key = "signal" if self.builder_config.name == "signal" else "image"
        content = {key: content_feature(self.builder_config.name)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(content))

    def _split_generators(self, dl_manager) -> dict[str, Any]:
        del dl_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        (key,) = self.info.features
        contents = [
            stored(self.builder_config.name, image, signal)
            for image, signal in zip(self.images, self.signals, strict=True)
        ]
        for index in range(self.examples):
            yield index, {key: contents[index % len(contents)]}


def recordings() -> tuple[np.ndarray, np.ndarray]:
    """Signals (n, 12, t) as they are stored, and the sheets drawn of them."""
    visits = population.draw_population(patients_per_condition=_DISTINCT // 11 + 1, seed=0)
    found = [population.record(visit) for split in visits.values() for visit in split][:_DISTINCT]
    millivolts = np.stack(
        [resample(r.signal_mv, from_hz=r.rate_hz, to_hz=RATE_HZ)[:, :_SAMPLES] for r in found]
    ).astype(np.float32)
    sheet = make_sheet("3x4+1", height=_HEIGHT, width=_WIDTH, channels=1)
    images = np.asarray(make_drawer(sheet, rate_hz=RATE_HZ)(jax.device_put(millivolts)))
    counts = np.rint(1000 / UV_PER_LSB * np.nan_to_num(millivolts, nan=0.0))
    return np.clip(counts, MISSING + 1, -MISSING - 1).astype(np.int16), images


def delivered(dataset: Dataset, given: argparse.Namespace) -> float:
    """Examples a second of the loader, read for as many batches as make an epoch."""
    key = "signal" if dataset.config == "signal" else "image"
    loader = make_train_loader(
        dataset, batch_size=given.batch, seed=0, keys=(key,), num_workers=given.workers
    )
    for _ in range(2):
        next(loader)
    batches = given.examples // given.batch
    start = time.perf_counter()
    for _ in range(batches):
        next(loader)
    seconds = time.perf_counter() - start
    loader.close()
    return batches * given.batch / seconds


def consumed(given: argparse.Namespace, *, drawn: bool) -> float:
    """Examples a second of the step."""
    config = MAEConfig(ViTConfig(image_size=(_HEIGHT, _WIDTH), channels=1))
    compute = Compute(dtype="float32" if jax.default_backend() == "cpu" else "bfloat16")
    run = make_runner(
        make_mae_step(
            config, compute=compute, batch_size=given.step_batch, mesh=one_device(), drawn=drawn
        )
    )
    return given.step_batch / statistics.median(run() for _ in range(given.rounds))


def main() -> None:
    """Builds, reads, and prints the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--step-batch", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    Storage.signals, Storage.images = recordings()
    Storage.examples = given.examples
    steps = {drawn: consumed(given, drawn=drawn) for drawn in (False, True)}
    with tempfile.TemporaryDirectory() as folder:
        datasets, sizes = {}, {}
        for storage in _STORAGES:
            builder = Storage(data_dir=folder, config=storage, file_format="array_record")
            builder.download_and_prepare()
            sizes[storage] = builder.info.dataset_size / given.examples
            datasets[storage] = open_dataset(
                name="storage", config=storage, data_dir=folder, split="train"
            )
        rates = {storage: [] for storage in _STORAGES}
        for _ in range(given.rounds):
            for storage, dataset in datasets.items():
                rates[storage].append(delivered(dataset, given))
    for storage, values in rates.items():
        rate, step = statistics.median(values), steps[storage == "signal"]
        line = {
            "benchmark": "input",
            "subject": f"loader, {storage}, {given.workers} workers",
            "peer": f"ViT-B/16 step at {_HEIGHT}x{_WIDTH}"
            f"{', drawing' if storage == 'signal' else ''}",
            "device": jax.devices()[0].device_kind,
            "bytes_per_example": round(sizes[storage]),
            "subject_examples_per_second": round(rate, 1),
            "peer_examples_per_second": round(step, 2),
            "ratio": round(rate / step, 1),
            "load": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
