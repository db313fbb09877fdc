"""What a checkpoint says of the model in it: which program made it, and whether we know it."""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from ecgmae_jax.errors import InputError


def require_program(meta: Mapping[str, Any], program: str, *, workdir: str | pathlib.Path) -> None:
    """Raises InputError unless the checkpoint of that meta was made by the program."""
    made_by = meta.get("config", {}).get("program", "another program")
    if made_by != program:
        raise InputError(
            f"{workdir} was made by {made_by} and is not a run of configs/{program}.py; name the "
            "workdir of one"
        )


@contextlib.contextmanager
def other_versions_refused(workdir: str | pathlib.Path) -> Iterator[None]:
    """Raises InputError where a fact that is looked for inside is not in the checkpoint's meta."""
    try:
        yield
    except (KeyError, TypeError) as fault:
        raise InputError(
            f"the checkpoints of {workdir} were made by another version of this program: what they "
            f"say of their model lacks {fault}; use that version, or train again"
        ) from fault
