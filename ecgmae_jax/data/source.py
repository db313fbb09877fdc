"""Datasets as random access to decoded examples, read without TensorFlow or the builder class."""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils.shard_utils import FileInstruction

from ecgmae_jax.data import builds
from ecgmae_jax.data.labels import LabelSet, label_sets
from ecgmae_jax.errors import InputError

Example = dict[str, Any]


@runtime_checkable
class Records(Protocol):
    """Serialised examples by number.

    Not `Sequence[bytes]`: a check of that type reads a record, and one may be damaged.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes: ...


class ExampleSource:
    """A sequence of decoded examples.

    An example has the features of the builder: texts are str, scalars Python numbers, arrays numpy
    and not to be written into, sequences tuples, `labels` a dict of class indices.
    """

    def __init__(
        self,
        records: Records,
        features: tfds.features.FeaturesDict,
        shards: Sequence[FileInstruction],
    ):
        self._records = records
        self._features = features
        self._shards = shards

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        # Whatever goes wrong here, the user needs the file's name, which no decoder gives.
        try:
            example = self._features.deserialize_example_np(self._records[index])
        except Exception as error:
            shard, position = self._position(index)
            raise InputError(
                f"record {position} of shard {shard} cannot be decoded "
                f"({' '.join(str(error).split())}): build the dataset again"
            ) from error
        return _plain(example)

    def only(self, *names: str) -> "ExampleSource":
        """The same examples with nothing but the named features, the others left undecoded."""
        absent = sorted(set(names) - set(self._features))
        if absent:
            raise InputError(
                f"the dataset has no feature {', '.join(absent)}; it has "
                f"{', '.join(sorted(self._features))}"
            )
        features = tfds.features.FeaturesDict({name: self._features[name] for name in names})
        return ExampleSource(self._records, features, self._shards)

    def _position(self, index: int) -> tuple[str, int]:
        for shard in self._shards:
            if index < shard.take:
                break
            index -= shard.take
        return shard.filename, shard.skip + index


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """One split of a built dataset.

    Attributes:
        picture: how the pictures were drawn (`Sheet.as_dict()`), or how signals are stored.
        fingerprint: 16 hex digits that change with the built data and not with the place where
            they lie, the time of the build or the split.
    """

    name: str
    config: str
    split: str
    version: str
    source: ExampleSource
    label_sets: dict[str, LabelSet]
    picture: dict[str, Any]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.source)

    def label_set(self, name: str) -> LabelSet:
        """The named label set; InputError lists those that exist."""
        if name not in self.label_sets:
            known = ", ".join(sorted(self.label_sets)) or "none"
            raise InputError(f"{self.name}/{self.config} has no label {name!r}; it has {known}")
        return self.label_sets[name]


def open_dataset(*, name: str, config: str, data_dir: str | pathlib.Path, split: str) -> Dataset:
    """A split of a dataset that `tfds build` made, its shards checked.

    `split` is as TFDS writes it: `train`, `train[:50%]`, `train+validation`. A part of a split may
    cut between two pictures of one patient; whole splits do not.

    Raises:
        InputError: not built, built in another file format, no such split, a split without
            examples, or a shard that is missing or damaged.
    """
    folder = builds.find_build(data_dir, name=name, config=config)
    builder = builds.read_build(folder)
    info = builder.info
    if info.file_format is not tfds.core.FileFormat.ARRAY_RECORD:
        raise InputError(
            f"{folder} is stored as {info.file_format}, ARRAY_RECORD is needed: "
            "build it again with --file_format=array_record"
        )
    sizes = ", ".join(f"{key} ({value.num_examples})" for key, value in info.splits.items())
    try:
        instructions = info.splits[split].file_instructions
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder} has no split {split!r}: {reason} It has {sizes}") from error
    if not instructions:
        raise InputError(f"split {split!r} of {folder} holds no examples; there are {sizes}")
    builds.check_shards(instructions)
    records = builder.as_data_source(
        split=split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
    )
    metadata = dict(info.metadata or {})
    return Dataset(
        name=name,
        config=config,
        split=split,
        version=str(info.version),
        source=ExampleSource(records, info.features, instructions),
        label_sets=label_sets(info.features, metadata),
        picture=dict(metadata.get("picture", {})),
        fingerprint=_fingerprint(info, config, metadata),
    )


def _fingerprint(info: tfds.core.DatasetInfo, config: str, metadata: dict[str, Any]) -> str:
    """A hash of what the build says about itself.

    Not of the shards' bytes: TFDS orders the features of a record differently in every build. The
    builders of this repository record a digest of all examples.
    """
    identity = {
        "name": info.name,
        "config": config,
        "version": str(info.version),
        "content": metadata.get("content"),
        "picture": metadata.get("picture"),
        "labels": {
            task: labels.as_dict() for task, labels in label_sets(info.features, metadata).items()
        },
        "splits": {
            name: [list(map(int, split.shard_lengths)), int(split.num_bytes)]
            for name, split in info.splits.items()
        },
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """TFDS's value with str for bytes, tuples for lists and Python numbers for numpy scalars."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case bytes():
            return value.decode()
        case np.generic():
            return _plain(value.item())
        case list():
            return tuple(_plain(item) for item in value)
        case np.ndarray() if value.dtype == object:
            return tuple(_plain(item) for item in value)
        case np.ndarray() if value.ndim == 0:
            return _plain(value.item())
        case _:
            return value
