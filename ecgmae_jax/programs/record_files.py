"""Files that are named after their records."""

import collections
import pathlib
from collections.abc import Sequence

from ecgmae_jax.errors import InputError


def record_files(record_ids: Sequence[str], *, folder: str, suffix: str) -> list[str]:
    """A path for each record; InputError where a name is no file's, or is two records'."""
    for record_id in record_ids:
        if pathlib.PurePath(record_id).name != record_id or record_id[:1] in ("", "."):
            raise InputError(
                f"record {record_id!r} cannot be the name of a file; rename it and build the "
                "dataset again"
            )
    name, number = collections.Counter(record_ids).most_common(1)[0]
    if number > 1:
        raise InputError(
            f"{number} records of different sources are called {name!r} and would be one file; "
            "take one source at a time"
        )
    return [f"{folder}/{record_id}{suffix}" for record_id in record_ids]
