"""Built TFDS datasets on disk: finding one, and refusing one that is incomplete."""

import json
import pathlib
import re
from collections.abc import Sequence

import tensorflow_datasets as tfds
from array_record.python import array_record_module
from tensorflow_datasets.core.utils.shard_utils import FileInstruction

from ecgmae_jax.errors import InputError
from ecgmae_jax.seals import seal

_VERSION = re.compile(r"\d+\.\d+\.\d+")
# The builders of this repository write it; others do not.
_SEALS = "shards.json"
_REPAIR = "copy the dataset again whole, or build it again"


def find_build(data_dir: str | pathlib.Path, *, name: str, config: str) -> pathlib.Path:
    """Folder of the newest finished version of a dataset.

    Raises:
        InputError: it is not built; the message lists what is, and the command that builds it.
    """
    data_dir = pathlib.Path(data_dir).expanduser()
    command = f"tfds build data_builders/{name} --config={config} --data_dir={data_dir}"
    if not data_dir.is_dir():
        raise InputError(f"data_dir {data_dir} is not a folder: build the dataset with `{command}`")
    versions = _finished_versions(data_dir / name / config)
    if versions:
        return max(versions, key=lambda folder: tuple(map(int, folder.name.split("."))))
    built = sorted(
        {
            f"{path.parent.parent.name}/{path.parent.name}"
            for config_dir in data_dir.glob("*/*")
            for path in _finished_versions(config_dir)
        }
    )
    found = f"it has {', '.join(built)}" if built else "it has no finished dataset"
    if any((data_dir / name / config).glob("incomplete.*")):
        found += f" and an unfinished build of {name}/{config}"
    raise InputError(f"{name}/{config} is not in data_dir {data_dir}: {found}; run `{command}`")


def read_build(folder: pathlib.Path) -> tfds.core.DatasetBuilder:
    """The builder of a finished build, as the files beside its shards describe it.

    Raises:
        InputError: one of them is damaged.
    """
    try:
        builder = tfds.builder_from_directory(str(folder))
        # It is read when it is first asked for.
        if not isinstance(builder.info.metadata or {}, dict):
            raise TypeError("metadata.json holds no object")
    # TFDS says of each file and each fault something else.
    except Exception as fault:
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise InputError(f"{folder} is damaged ({reason}): {_REPAIR}") from fault
    return builder


def check_shards(instructions: Sequence[FileInstruction]) -> None:
    """Opens every shard that a split reads and compares its number of records and its seal.

    Raises:
        InputError: a shard is missing, unreadable, of another length than the dataset states, or
            not the one that was built under its name.
    """
    for expected in instructions:
        shard = pathlib.Path(expected.filename)
        if not shard.is_file():
            raise InputError(f"shard {shard} is missing: {_REPAIR}")
        try:
            reader = array_record_module.ArrayRecordReader(str(shard))
            found = reader.num_records()
            reader.close()
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(
                f"shard {shard} is damaged ({' '.join(str(error).split())}): {_REPAIR}"
            ) from error
        if found != expected.examples_in_shard:
            raise InputError(
                f"shard {shard} has {found} records, dataset_info.json beside it states "
                f"{expected.examples_in_shard}: {_REPAIR}"
            )
        seals = shard.with_name(_SEALS)
        if seals.is_file() and seal(shard) != _seal_of(shard, seals):
            raise InputError(
                f"shard {shard} is not the one that was built ({_SEALS} beside it): {_REPAIR}"
            )


def _seal_of(shard: pathlib.Path, seals: pathlib.Path) -> object:
    """What the seal of the shard was when it was built; None where nothing says so."""
    try:
        return json.loads(seals.read_text())[shard.name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _finished_versions(config_dir: pathlib.Path) -> list[pathlib.Path]:
    """Version folders that TFDS has renamed from `incomplete.*`, its last act of a build."""
    return [
        path.parent
        for path in config_dir.glob("*/dataset_info.json")
        if _VERSION.fullmatch(path.parent.name)
    ]
