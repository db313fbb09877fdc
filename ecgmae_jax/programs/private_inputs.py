"""What is made of private files is private: a run that reads any writes for its owner alone."""

import os
from collections.abc import Iterator
from typing import Any

import ml_collections

_OTHERS = 0o077


def keep_private(config: ml_collections.ConfigDict) -> None:
    """Sets the umask to 077 if a file or folder that the config names is closed to others.

    Builds of cohorts are; so are the results of programs that read them, and all that follows.
    """
    if any(_is_private(path) for path in _paths(config)):
        os.umask(_OTHERS)


def _is_private(path: str) -> bool:
    try:
        return not os.stat(path).st_mode & _OTHERS
    # No file, or a text that cannot name one.
    except (OSError, ValueError):
        return False


def _paths(config: Any) -> Iterator[str]:
    """Every text of the config, as the path it may be."""
    match config:
        case ml_collections.ConfigDict():
            if "data_dir" in config:
                data_dir = os.path.expanduser(config.data_dir)
                yield os.path.join(data_dir, config.get("name", ""))
            for value in config.values():
                yield from _paths(value)
        case tuple() | list():
            for value in config:
                yield from _paths(value)
        case str() if config:
            yield os.path.expanduser(config)
            # `<name>=<file>`, as the report takes its models.
            if file := config.partition("=")[2]:
                yield os.path.expanduser(file)
