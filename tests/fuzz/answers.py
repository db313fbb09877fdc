"""What all fuzzed readers share: files in a folder of their own, and what answers may look like.

A reader that raises anything but a refusal, or answers with something impossible, has a fault.
"""

import contextlib
import os
import pathlib
import re
import tempfile
from collections.abc import Iterator

from ecgmae_jax.records.recording import RejectedRecord

# A fuzzer writes some thousand files a second.
_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)*")


class WrongAnswer(Exception):
    """A reader gave what no input may lead to."""


def require(is_right: bool, what: str) -> None:
    """Raises WrongAnswer unless it is right."""
    if not is_right:
        raise WrongAnswer(what)


def refused(rejected: RejectedRecord) -> str:
    """The code of a refusal, whose words are fit to be shown."""
    require(_CODE.fullmatch(rejected.code) is not None, f"code {rejected.code!r}")
    require(rejected.detail.isprintable(), f"detail {rejected.detail!r}")
    return rejected.code


@contextlib.contextmanager
def files(contents: dict[str, bytes]) -> Iterator[pathlib.Path]:
    """A folder with these files, for as long as it is needed."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as name:
        folder = pathlib.Path(name)
        for file, content in contents.items():
            (folder / file).write_bytes(content)
        yield folder
