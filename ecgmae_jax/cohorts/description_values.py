"""The values of `cohort.toml`, each checked and joined with its default."""

import math
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from ecgmae_jax.cohorts.checks import check_keys, check_kind, check_texts
from ecgmae_jax.cohorts.masks import UNITS, Mask
from ecgmae_jax.cohorts.outcomes import TYPES, Outcome
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.layouts import layout_named

FORMATS = ("table", "list", "folders", "files")
ROLES = ("path", "patient_id", "age", "sex", "recorded_on", "split", "site", "device")
_NAME = re.compile(r"\w[\w-]*")
_STEPS = ("crop", "deskew", "scale", "flatten", "ink", "px_per_mm")
_SIDES = ("left", "top", "right", "bottom")


def checked_value(path: pathlib.Path, key: str, value: Any, default: Any) -> Any:
    """The value of one key, checked and joined with the default's.

    Raises:
        InputError: for a value of a wrong kind, naming file and key.
    """
    match key:
        case "source" | "format" | "file" | "scans" | "key_file" | "splits_file":
            return _text(path, key, value)
        case "missing":
            return ("", *check_texts(path, key, value))
        case "outcomes":
            check_kind(path, key, value, dict)
            return {name: _outcome(path, name, fields) for name, fields in value.items()}
        case "masks":
            check_kind(path, key, value, list)
            return tuple(_mask(path, f"masks[{i}]", mask) for i, mask in enumerate(value))
        case "sexes":
            check_kind(path, key, value, dict)
            for cell, sex in value.items():
                if sex not in ("female", "male"):
                    raise InputError(
                        f"{path}: sexes.{cell} is {sex!r}, expected 'female' or 'male'"
                    )
            return {**default, **value}
        case "columns":
            check_kind(path, key, value, dict)
            check_keys(path, "columns.", value, ROLES)
            for role, column in value.items():
                check_kind(path, f"columns.{role}", column, str)
            return {**default, **value}
        case "picture":
            return _picture(path, value, default)
        case "normalise":
            return _normalise(path, value, default)
        case _:
            return _geometry(path, value, default)


def _text(path: pathlib.Path, key: str, value: Any) -> str:
    check_kind(path, key, value, str)
    if key == "format" and value not in FORMATS:
        raise InputError(f"{path}: format is {value!r}, expected {', '.join(FORMATS)}")
    if key in ("source", "scans") and not value:
        raise InputError(f"{path}: {key} is empty; leave it out for the default")
    return value


def _outcome(path: pathlib.Path, name: str, fields: Any) -> Outcome:
    key = f"outcomes.{name}"
    # The name becomes part of file names and of column names.
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{path}: {name!r} cannot be the name of an outcome: use letters, digits, _ and -, and "
            "give the table's column as `column`"
        )
    check_kind(path, key, fields, dict)
    check_keys(path, f"{key}.", fields, ("column", "type", "classes", "event", "unit"))
    texts = {"column": name, "type": "multi-class", "event": "", "unit": ""}
    for field in texts:
        check_kind(path, f"{key}.{field}", fields.get(field, ""), str)
        texts[field] = fields.get(field, texts[field])
    if texts["type"] not in TYPES:
        raise InputError(f"{path}: {key}.type is {texts['type']!r}, expected {', '.join(TYPES)}")
    classes = check_texts(path, f"{key}.classes", fields.get("classes", []))
    if len(set(classes)) < len(classes) or "" in classes:
        raise InputError(f"{path}: {key}.classes has an empty or a repeated name")
    outcome = Outcome(classes=classes, **texts)
    if bool(outcome.event) != (outcome.type == "time-to-event"):
        raise InputError(
            f"{path}: {key} has type {outcome.type!r} and event {outcome.event!r}: a time-to-event "
            "outcome names the column of its event as `event`, no other one does"
        )
    if (outcome.is_number and classes) or (outcome.unit and not outcome.is_number):
        raise InputError(
            f"{path}: {key} of type {outcome.type!r} has classes {list(classes)} and unit "
            f"{outcome.unit!r}: numbers have a unit, the other types classes"
        )
    return outcome


def _mask(path: pathlib.Path, key: str, fields: Any) -> Mask:
    check_kind(path, key, fields, dict)
    check_keys(path, f"{key}.", fields, (*_SIDES, "unit"))
    for side in _SIDES:
        check_kind(path, f"{key}.{side}", fields.get(side), float)
    unit = fields.get("unit", "fraction")
    left, top, right, bottom = (float(fields[side]) for side in _SIDES)
    largest = 1.0 if unit == "fraction" else 1000.0
    if unit not in UNITS or not (0 <= left < right <= largest and 0 <= top < bottom <= largest):
        raise InputError(
            f"{path}: {key} is {fields}: expected 0 <= left < right and 0 <= top < bottom, and "
            f"unit 'fraction' (up to 1) or 'mm' (up to 1000)"
        )
    return Mask(left, top, right, bottom, unit)


def _picture(path: pathlib.Path, value: Any, default: Mapping[str, int]) -> dict[str, int]:
    check_kind(path, "picture", value, dict)
    check_keys(path, "picture.", value, tuple(default))
    for name, number in value.items():
        check_kind(path, f"picture.{name}", number, int)
        if number not in ((1, 3) if name == "channels" else range(32, 4097)):
            expected = "1 (grey) or 3 (RGB)" if name == "channels" else "32 to 4096 pixels"
            raise InputError(f"{path}: picture.{name} is {number}, expected {expected}")
    return {**default, **value}


def _normalise(path: pathlib.Path, value: Any, default: Mapping[str, Any]) -> dict[str, Any]:
    check_kind(path, "normalise", value, dict)
    check_keys(path, "normalise.", value, _STEPS)
    for name, setting in value.items():
        check_kind(path, f"normalise.{name}", setting, float if name == "px_per_mm" else bool)
    merged = {**default, **value}
    # Pages are flattened along the lines whose scale is measured.
    merged["flatten"] = value.get("flatten", merged["scale"])
    if merged["flatten"] and not merged["scale"]:
        raise InputError(f"{path}: normalise.flatten = true needs normalise.scale = true")
    target = merged.get("px_per_mm", 1.0)
    if not (0 < target < math.inf and (merged["scale"] or "px_per_mm" not in merged)):
        raise InputError(
            f"{path}: normalise.px_per_mm is {target}, expected a positive number, and "
            "normalise.scale = true"
        )
    return merged


def _geometry(path: pathlib.Path, value: Any, default: Mapping[str, Any]) -> dict[str, Any]:
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
    return {
        name: fact if name == "layout" else float(fact)
        for name, fact in {**default, **value}.items()
        if fact != "unknown"
    }
