"""Files of patients are for their owner alone: folders 0700, files 0600."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Whatever is made inside, in this process and those it starts, is for its owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
