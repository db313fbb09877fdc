"""What is made of private files is private: a run that reads any writes for its owner alone."""

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import ml_collections

_OTHERS = 0o077


def keep_private(config: ml_collections.ConfigDict) -> None:
    """Sets the umask to 077 if a file or folder that the config names is closed to others.

    Builds of cohorts are; so are the results of programs that read them, and all that follows.
    """
    if any(path.exists() and not path.stat().st_mode & _OTHERS for path in _paths(config)):
        os.umask(_OTHERS)


def _paths(config: Any) -> Iterator[pathlib.Path]:
    match config:
        case ml_collections.ConfigDict():
            if "data_dir" in config:
                yield pathlib.Path(config.data_dir).expanduser() / config.get("name", "")
            for value in config.values():
                yield from _paths(value)
        case str() if config:
            yield pathlib.Path(config).expanduser()
