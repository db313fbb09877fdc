"""What a cohort's folder holds and how to read it: the config's defaults and `cohort.toml`."""

import dataclasses
import json
import math
import pathlib
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from data_builders.clinical_cohort.checks import check_keys, check_kind, check_texts
from data_builders.clinical_cohort.outcomes import Outcome
from data_builders.clinical_cohort.tables import read_text
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.layouts import layout_named

FORMATS = ("table", "list", "folders", "files")
ROLES = ("path", "patient_id", "age", "sex", "recorded_on", "split")
_FILES = ("cohort.toml", "cohort.json")
_NAME = re.compile(r"\w[\w-]*")


@dataclasses.dataclass(frozen=True)
class Description:
    """How a folder of scans becomes a dataset; the fields are the keys of `cohort.toml`.

    Attributes:
        source: name stored with every example; part of the hash by which patients are split.
        format: one of FORMATS; empty to tell it from what the folder holds.
        file: the table or the list; empty for the usual name.
        scans: the folder that paths are relative to, within the cohort's folder.
        missing: cells that say that nothing is known.
        columns: name of the table's column by role; empty for a column the table must not be
            searched for. A role that is not named is read from the column of its own name, if any.
        outcomes: by name; None for the column `outcome`, if the table has one.
        sexes: `female` or `male` by cell, beside the words that are understood anyway.
        picture: height, width and channels of the stored pictures.
        geometry: of the sheet on the scans: layout, px_per_mm (of the scans as they come),
            mm_per_s, mm_per_mv; what is absent is unknown.
        normalise: which steps are taken: crop, deskew, scale; and px_per_mm, if the pictures are to
            have one scale instead of showing the whole scan.
    """

    source: str = "custom"
    format: str = ""
    file: str = ""
    scans: str = "."
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null")
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    outcomes: Mapping[str, Outcome] | None = None
    sexes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    picture: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"height": 384, "width": 512, "channels": 1}
    )
    geometry: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    normalise: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {"crop": True, "deskew": True, "scale": True}
    )


def read_description(folder: pathlib.Path, default: Description) -> Description:
    """The default with what the folder's `cohort.toml` (or `cohort.json`) says instead.

    Another `format` than the default's drops the default's columns and outcomes. A geometry of
    `"unknown"` removes the default's.

    Raises:
        InputError: for a file that cannot be parsed, an unknown key or a value of a wrong kind.
    """
    found = [folder / name for name in _FILES if (folder / name).is_file()]
    if len(found) > 1:
        raise InputError(f"{folder} has both {' and '.join(_FILES)}: keep one of them")
    if not found:
        return default
    path = found[0]
    try:
        given = (tomllib if path.suffix == ".toml" else json).loads(read_text(path))
    except ValueError as fault:
        raise InputError(f"{path} cannot be parsed: {' '.join(str(fault).split())}") from fault
    if not isinstance(given, dict):
        raise InputError(f"{path} holds no keys: expected an object such as {{'source': ...}}")
    check_keys(path, "", given, [field.name for field in dataclasses.fields(Description)])
    if given.get("format", default.format) != default.format:
        default = dataclasses.replace(default, columns={}, outcomes=None)
    return dataclasses.replace(
        default, **{key: _value(path, key, value, default) for key, value in given.items()}
    )


def _value(path: pathlib.Path, key: str, value: Any, default: Description) -> Any:
    """The value of one key, checked and joined with the default's."""
    match key:
        case "source" | "format" | "file" | "scans":
            check_kind(path, key, value, str)
            if key == "format" and value not in FORMATS:
                raise InputError(f"{path}: format is {value!r}, expected {', '.join(FORMATS)}")
            if key in ("source", "scans") and not value:
                raise InputError(f"{path}: {key} is empty; leave it out for the default")
            return value
        case "missing":
            return ("", *check_texts(path, key, value))
        case "outcomes":
            check_kind(path, key, value, dict)
            return {name: _outcome(path, name, fields) for name, fields in value.items()}
        case "sexes":
            check_kind(path, key, value, dict)
            for cell, sex in value.items():
                if sex not in ("female", "male"):
                    raise InputError(
                        f"{path}: sexes.{cell} is {sex!r}, expected 'female' or 'male'"
                    )
            return {**default.sexes, **value}
        case "columns":
            check_kind(path, key, value, dict)
            check_keys(path, "columns.", value, ROLES)
            for role, column in value.items():
                check_kind(path, f"columns.{role}", column, str)
            return {**default.columns, **value}
        case "picture":
            return _picture(path, value, default)
        case "normalise":
            return _normalise(path, value, default)
        case _:
            return _geometry(path, value, default)


def _outcome(path: pathlib.Path, name: str, fields: Any) -> Outcome:
    key = f"outcomes.{name}"
    # The name becomes part of file names and of column names.
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{path}: {name!r} cannot be the name of an outcome: use letters, digits, _ and -, and "
            "give the table's column as `column`"
        )
    check_kind(path, key, fields, dict)
    check_keys(path, f"{key}.", fields, ("column", "classes", "several"))
    column, several = fields.get("column", name), fields.get("several", False)
    check_kind(path, f"{key}.column", column, str)
    check_kind(path, f"{key}.several", several, bool)
    classes = check_texts(path, f"{key}.classes", fields.get("classes", []))
    if len(set(classes)) < len(classes) or "" in classes:
        raise InputError(f"{path}: {key}.classes has an empty or a repeated name")
    return Outcome(column, classes, several)


def _picture(path: pathlib.Path, value: Any, default: Description) -> dict[str, int]:
    check_kind(path, "picture", value, dict)
    check_keys(path, "picture.", value, tuple(default.picture))
    for name, number in value.items():
        check_kind(path, f"picture.{name}", number, int)
        if number not in ((1, 3) if name == "channels" else range(32, 4097)):
            expected = "1 (grey) or 3 (RGB)" if name == "channels" else "32 to 4096 pixels"
            raise InputError(f"{path}: picture.{name} is {number}, expected {expected}")
    return {**default.picture, **value}


def _normalise(path: pathlib.Path, value: Any, default: Description) -> dict[str, Any]:
    check_kind(path, "normalise", value, dict)
    check_keys(path, "normalise.", value, ("crop", "deskew", "scale", "px_per_mm"))
    for name, setting in value.items():
        check_kind(path, f"normalise.{name}", setting, float if name == "px_per_mm" else bool)
    merged = {**default.normalise, **value}
    target = merged.get("px_per_mm", 1.0)
    if not (0 < target < math.inf and (merged["scale"] or "px_per_mm" not in merged)):
        raise InputError(
            f"{path}: normalise.px_per_mm is {target}, expected a positive number, and "
            "normalise.scale = true"
        )
    return merged


def _geometry(path: pathlib.Path, value: Any, default: Description) -> dict[str, Any]:
    check_kind(path, "geometry", value, dict)
    check_keys(path, "geometry.", value, ("layout", "px_per_mm", "mm_per_s", "mm_per_mv"))
    for name, fact in value.items():
        if fact == "unknown":
            continue
        if name == "layout":
            check_kind(path, "geometry.layout", fact, str)
            layout_named(fact)
            continue
        check_kind(path, f"geometry.{name}", fact, float)
        if not (math.isfinite(fact) and fact > 0):
            raise InputError(f"{path}: geometry.{name} is {fact}, expected a number above 0")
    merged = {**default.geometry, **value}
    return {
        name: fact if name == "layout" else float(fact)
        for name, fact in merged.items()
        if fact != "unknown"
    }
