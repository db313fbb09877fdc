"""What a cohort's folder holds and how to read it: the defaults and `cohort.toml`."""

import dataclasses
import json
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from ecgmae_jax.cohorts.checks import check_keys
from ecgmae_jax.cohorts.description_values import checked_value
from ecgmae_jax.cohorts.masks import Mask
from ecgmae_jax.cohorts.outcomes import Outcome
from ecgmae_jax.cohorts.stored_pictures import ink_sheet
from ecgmae_jax.cohorts.tables import read_text
from ecgmae_jax.errors import InputError

_FILES = ("cohort.toml", "cohort.json")


@dataclasses.dataclass(frozen=True)
class Description:
    """How a folder of scans becomes a dataset; the fields are the keys of `cohort.toml`.

    Attributes:
        source: name stored with every example; part of the hash by which patients are split.
        format: one of FORMATS; empty to tell it from what the folder holds.
        file: the table or the list; empty for the usual name.
        scans: the folder that paths are relative to, within the cohort's folder.
        key_file: the user's secret key, outside of the folder.
        splits_file: of the make_splits program; empty for the table's column `split`, or for
            splits by the patients' hashes where there is none.
        missing: cells that say that nothing is known.
        columns: name of the table's column by role; empty for a column the table must not be
            searched for. A role that is not named is read from the column of its own name, if any.
        outcomes: by name; None for the column `outcome`, if the table has one.
        sexes: `female` or `male` by cell, beside the words that are understood anyway.
        picture: height, width and channels of the stored pictures.
        geometry: of the sheet on the scans: layout, px_per_mm (of the scans as they come),
            mm_per_s, mm_per_mv; what is absent is unknown.
        normalise: which steps are taken: crop, deskew, scale, flatten; px_per_mm, if the pictures
            are to have one scale instead of showing the whole scan; ink, if they are to be the
            traces alone on blank paper, where the geometry's layout has them.
        masks: what is painted over.
    """

    source: str = "custom"
    format: str = ""
    file: str = ""
    scans: str = "."
    key_file: str = ""
    splits_file: str = ""
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null")
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    outcomes: Mapping[str, Outcome] | None = None
    sexes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    picture: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"height": 384, "width": 512, "channels": 1}
    )
    geometry: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    normalise: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {
            **dict.fromkeys(("crop", "deskew", "scale", "flatten"), True),
            "ink": False,
        }
    )
    masks: tuple[Mask, ...] = ()


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
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{path} cannot be parsed: {' '.join(str(fault).split())}") from fault
    if not isinstance(given, dict):
        raise InputError(f"{path} holds no keys: expected an object such as {{'source': ...}}")
    check_keys(path, "", given, [field.name for field in dataclasses.fields(Description)])
    if given.get("format", default.format) != default.format:
        default = dataclasses.replace(default, columns={}, outcomes=None)
    read = dataclasses.replace(
        default,
        **{
            key: checked_value(path, key, value, getattr(default, key))
            for key, value in given.items()
        },
    )
    try:
        ink_sheet(read.picture, normalise=read.normalise, geometry=read.geometry)
    except InputError as fault:
        raise InputError(f"{path}: {fault}") from fault
    return read
