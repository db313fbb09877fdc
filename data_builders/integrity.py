"""What a build leaves for its readers to check it by, and builds kept out of each other's way."""

import contextlib
import hashlib
import io
import json
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np

from data_builders.account import Account
from data_builders.parallel import Chunk, MakeExamples
from ecgmae_jax import locks
from ecgmae_jax.errors import InputError
from ecgmae_jax.seals import seal

SEALS = "shards.json"


def with_digests(
    make_examples: MakeExamples, split: str, chunk: Chunk
) -> tuple[list[tuple[str, dict[str, Any]]], Account]:
    """The chunk's examples, and its account with the digest of what they hold.

    Of what they hold, not of the shards' bytes: TFDS orders the features of a record differently
    in every build.
    """
    examples, account = make_examples(chunk)
    for key, example in examples:
        content = f"{split}/{key}".encode() + _canonical(example)
        account.add_digest(int.from_bytes(hashlib.sha256(content).digest()))
    return examples, account


def seal_shards(folder: pathlib.Path) -> None:
    """Writes the seal of every shard beside them; readers compare."""
    seals = {path.name: seal(path) for path in sorted(folder.glob("*-of-*"))}
    (folder / SEALS).write_text(json.dumps(seals, indent=1))


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[None]:
    """No second build in the folder of the same dataset and config; what a killed one left goes.

    Raises:
        InUse: there is one.
        InputError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise InputError(
            f"{fault.filename} cannot be made: {fault.strerror}; name another --data_dir"
        ) from fault
    path = folder / ".building"
    handle = locks.acquire(path)
    try:
        for orphan in folder.glob("incomplete.*"):
            print(f"removing {orphan}, which a killed build left")
            shutil.rmtree(orphan)
        yield
    finally:
        locks.release(path, handle)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _canonical(value: Any) -> bytes:
    match value:
        case dict():
            return b"".join(
                f"{name}=".encode() + _canonical(value[name]) + b";" for name in sorted(value)
            )
        case io.BytesIO():
            return value.getvalue()
        case np.ndarray():
            return f"{value.dtype}{value.shape}".encode() + value.tobytes()
        case list() | tuple():
            return b"[" + b",".join(map(_canonical, value)) + b"]"
        case _:
            return repr(value).encode()
