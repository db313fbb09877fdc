"""Checks of the values in a cohort's description, each an `InputError` that names the key."""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from ecgmae_jax.cohorts.tables import nearest
from ecgmae_jax.errors import InputError

_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list of texts",
    dict: "keys with values",
}


def check_kind(path: pathlib.Path, key: str, value: Any, kind: type) -> None:
    """Raises unless the value is of the kind; a whole number is a number, too."""
    is_bool = isinstance(value, bool)
    if is_bool != (kind is bool) or not isinstance(value, (int, float) if kind is float else kind):
        raise InputError(f"{path}: {key} is {value!r}, expected {_KINDS[kind]}")


def check_keys(
    path: pathlib.Path, prefix: str, given: Mapping[str, Any], known: Iterable[str]
) -> None:
    """Raises, with the nearest known one, for a key that nobody would read."""
    known = tuple(known)
    for key in given:
        if key not in known:
            raise InputError(
                f"{path} has the unknown key {prefix}{key}{nearest(key, known)}; known are "
                f"{', '.join(prefix + name for name in known)}"
            )


def check_texts(path: pathlib.Path, key: str, value: Any) -> tuple[str, ...]:
    """The texts of a list, runs of white space made one space; raises for anything else."""
    check_kind(path, key, value, list)
    for item in value:
        check_kind(path, key, item, str)
    return tuple(" ".join(item.split()) for item in value)
