"""The files that a report is made from, besides the predictions themselves."""

import hashlib
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.cases import picture_uri
from ecgmae_jax.programs.workdirs import read_json


def named_files(entries: Sequence[str], *, field: str) -> dict[str, pathlib.Path]:
    """Name -> file, of entries `<name>=<file>` of a field of the config."""
    found: dict[str, pathlib.Path] = {}
    for entry in entries:
        name, separator, path = str(entry).partition("=")
        if not separator or not path or not re.fullmatch(r"[\w+-]+", name) or name in found:
            raise InputError(
                f"config.{field} has {entry!r}; expected <name>=<predictions.csv>, each name once, "
                "of letters, digits, _, + and -"
            )
        found[name] = pathlib.Path(path).expanduser()
    return found


def file_facts(path: pathlib.Path) -> dict[str, Any]:
    """The file's hash, and what its run says of itself."""
    beside = (("config.json", "program"), ("versions.json", "code"))
    facts = {key: str(read_json(path.parent / name).get(key, "not stated")) for name, key in beside}
    with path.open("rb") as file:
        return {
            **facts,
            "file": str(path),
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }


def read_refused(path: pathlib.Path) -> dict[str, int]:
    """Refused recordings by reason, of the rejections.csv that a build leaves beside its data."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as fault:
        message = f"{path}: no such file; a build writes rejections.csv, or give none"
        raise InputError(message) from fault
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not a readable CSV file ({str(fault).strip()})") from fault
    if "code" not in table:
        raise InputError(f"{path}: no column 'code', only {list(table)}; give a rejections.csv")
    return {str(reason): int(n) for reason, n in table["code"].value_counts().items()}


def read_pictures(folder: str, cases: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Record -> its picture, of those there are; nothing without a folder."""
    if not folder:
        return {}
    place = pathlib.Path(folder).expanduser()
    found = {case["record_id"]: picture_uri(place, case["record_id"]) for case in cases}
    return {record: uri for record, uri in found.items() if uri is not None}
