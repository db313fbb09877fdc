"""The formats a cohort may come in, read as rows: table, list of files, class folders, files."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping

from ecgmae_jax.cohorts.description import Description
from ecgmae_jax.cohorts.description_values import ROLES
from ecgmae_jax.cohorts.files import only_file, pictures_below
from ecgmae_jax.cohorts.outcomes import SEPARATOR, Outcome, complete, event_key
from ecgmae_jax.cohorts.tables import read_table, read_text
from ecgmae_jax.errors import InputError
from ecgmae_jax.scans.decoding import SUFFIXES

LABEL = "label"
_TABLES = ("table.csv", "table.tsv", "table.parquet")
_LIST = "annotations.txt"


@dataclasses.dataclass(frozen=True)
class Row:
    """What the cohort says about one scan, as text.

    Attributes:
        place: where it says so, for messages; without names of files, which may be a patient's.
        path: relative to the folder of the scans.
        facts: by role, those of ROLES that the cohort has, but the path.
        cells: by outcome; the event of a time-to-event outcome by its `event_key`.
    """

    place: str
    path: str
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cells: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Listing:
    """All rows, the outcomes with their classes, and remarks of one line."""

    rows: list[Row]
    outcomes: Mapping[str, Outcome]
    notes: tuple[str, ...] = ()


def read_listing(folder: pathlib.Path, description: Description) -> Listing:
    """The rows of a cohort in the format it declares, or in the one its folder has.

    Raises:
        InputError: for a folder in none of the formats or in two of them, a column or file that is
            not there, and a label outside of the declared classes.
    """
    for key, name in (("file", description.file), ("scans", description.scans)):
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise InputError(f"`{key}` is {name!r}, which leads out of {folder}: keep it inside")
    name = description.format or _format_of(folder, description)
    readers: dict[str, Callable[[pathlib.Path, Description], Listing]] = {
        "table": _read_table,
        "list": _read_list,
        "folders": _read_folders,
        "files": _read_files,
    }
    possible = set() if name == "files" else {LABEL}
    if name != "table" and (description.columns or set(description.outcomes or ()) - possible):
        raise InputError(
            f"[columns] and [outcomes] of cohort.toml describe a table, and {folder} is read as "
            f"{name!r}, which has {' and '.join(possible) or 'no outcome'}: set format = 'table', "
            "or take them out"
        )
    if name != "table" and any(one.event for one in (description.outcomes or {}).values()):
        raise InputError(f"{folder} is read as {name!r}; a time-to-event outcome needs a table")
    listing = readers[name](folder, description)
    outcomes = {
        name: complete(
            name,
            outcome,
            [(row.cells, row.place) for row in listing.rows],
            missing=description.missing,
        )
        for name, outcome in listing.outcomes.items()
    }
    return dataclasses.replace(listing, outcomes=outcomes)


def _format_of(folder: pathlib.Path, description: Description) -> str:
    if description.file:
        return "list" if description.file.endswith(".txt") else "table"
    present = [name for name in (*_TABLES, _LIST) if (folder / name).is_file()]
    if len(present) > 1:
        raise InputError(f"{folder} has {' and '.join(present)}: say which by `file` and `format`")
    if present:
        return "list" if present[0] == _LIST else "table"
    depths = {len(path.parts) for path in pictures_below(folder / description.scans)[0]}
    if not depths:
        raise InputError(
            f"{folder} has no table.csv, table.parquet or annotations.txt and no pictures "
            f"({', '.join(sorted(SUFFIXES))}): see docs/clinical.md for what a cohort looks like"
        )
    if 1 in depths and len(depths) > 1:
        raise InputError(
            f"{folder} has pictures both beside and inside of folders: set format = 'folders' "
            "(labels are folders) or 'files' (no labels) in cohort.toml"
        )
    return "files" if 1 in depths else "folders"


def _read_table(folder: pathlib.Path, description: Description) -> Listing:
    table = read_table(only_file(folder, description.file, _TABLES))
    columns = {}
    for role in ROLES:
        column = description.columns.get(role, role)
        if role == "path" or description.columns.get(role):
            table.require(column, purpose=f"columns.{role}")
        if column in table.columns:
            columns[role] = column
    outcomes = description.outcomes
    if outcomes is None:
        outcomes = {"outcome": Outcome("outcome")} if "outcome" in table.columns else {}
    cells = {}
    for name, outcome in outcomes.items():
        cells[name] = outcome.column
        if outcome.event:
            cells[event_key(name)] = outcome.event
    for name, column in cells.items():
        table.require(column, purpose=f"outcome {name}")
    rows = [
        Row(
            place=place,
            path=row[columns["path"]],
            facts={role: row[column] for role, column in columns.items() if role != "path"},
            cells={name: row[column] for name, column in cells.items()},
        )
        for place, row in zip(table.places, table.rows, strict=True)
    ]
    used = {*columns.values(), *cells.values()}
    unused = ", ".join(name for name in table.columns if name not in used)
    return Listing(rows, outcomes, (f"columns not used: {unused}",) if unused else ())


def _read_list(folder: pathlib.Path, description: Description) -> Listing:
    path = only_file(folder, description.file, (_LIST,))
    scans = folder / description.scans
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        line = line.strip()
        if line:
            name, label = _path_and_label(line, scans)
            rows.append(Row(f"{path.name} line {number}", name, cells={LABEL: label}))
    if not rows:
        raise InputError(f"{path} is empty: expected `path label` or `path` on each line")
    labels = [row.cells[LABEL] for row in rows]
    declared = (description.outcomes or {}).get(LABEL)
    if not any(labels) and not declared:
        return Listing([dataclasses.replace(row, cells={}) for row in rows], {})
    several = any(SEPARATOR in label for label in labels)
    found = Outcome(LABEL, "multi-label" if several else "multi-class")
    return Listing(rows, {LABEL: declared or found})


def _path_and_label(line: str, scans: pathlib.Path) -> tuple[str, str]:
    """Paths may contain spaces, labels may not; a path alone is told by being a file's."""
    words = line.rsplit(maxsplit=1)
    # pathlib would fail for a line that is too long for a name.
    if len(words) == 1 or os.path.isfile(scans / line):
        return line, ""
    # `scan 7.png` that is missing has no label `7.png`.
    is_path = pathlib.PurePath(words[1]).suffix.lower() in SUFFIXES
    return (line, "") if is_path else (words[0], words[1])


def _read_folders(folder: pathlib.Path, description: Description) -> Listing:
    paths, notes = pictures_below(folder / description.scans)
    outside = [path for path in paths if len(path.parts) == 1]
    if outside or not paths:
        found = f"{len(outside)} pictures" if outside else "no pictures"
        raise InputError(
            f"{folder / description.scans} has {found} outside of class folders: put each picture "
            "into a folder named after its class, or set format = 'files' (no labels)"
        )
    rows = [
        Row(place, path.as_posix(), cells={LABEL: path.parts[0]})
        for place, path in _numbered(paths)
    ]
    outcome = (description.outcomes or {}).get(LABEL, Outcome(LABEL))
    return Listing(rows, {LABEL: outcome}, notes)


def _read_files(folder: pathlib.Path, description: Description) -> Listing:
    paths, notes = pictures_below(folder / description.scans)
    if not paths:
        raise InputError(f"{folder / description.scans} has no pictures in it")
    return Listing([Row(place, path.as_posix()) for place, path in _numbered(paths)], {}, notes)


def _numbered(paths: list[pathlib.Path]) -> list[tuple[str, pathlib.Path]]:
    return [(f"picture {number} by name", path) for number, path in enumerate(paths, start=1)]
