"""The files of a cohort: found below its folder, and never outside of it."""

import collections
import mimetypes
import os
import pathlib
from collections.abc import Iterator, Sequence

from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import SUFFIXES


def file_inside(folder: pathlib.Path, name: str) -> pathlib.Path:
    """The regular file of that name, which must lie in the folder once links are followed.

    Raises:
        RejectedRecord: with the reason.
    """
    if "://" in name or "::" in name:
        raise RejectedRecord(name, "not-a-local-file", "an address, not a path in the folder")
    root = pathlib.Path(os.path.realpath(folder))
    try:
        # Tables written on Windows.
        local = name if (folder / name).exists() else name.replace("\\", "/")
        path = pathlib.Path(os.path.realpath(folder / local))
        is_file = path.is_file()
    except OSError as fault:
        raise RejectedRecord(name, "no-file", str(fault.strerror)) from fault
    if not path.is_relative_to(root):
        raise RejectedRecord(name, "outside-folder", "leads out of the cohort's folder")
    if not is_file:
        raise RejectedRecord(name, "no-file", "there is no file of that name")
    return path


def pictures_below(scans: pathlib.Path) -> tuple[list[pathlib.Path], tuple[str, ...]]:
    """Pictures by their suffix, relative and in order, and a remark about all other files."""
    if not os.path.isdir(scans):
        raise InputError(f"{scans} (`scans` of cohort.toml) is not a folder")
    files = sorted(_visible_files(scans))
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    others = collections.Counter(
        _kind(path) for path in files if path.suffix.lower() not in SUFFIXES
    )
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(others.items()))
    return pictures, (f"files that are no pictures: {kinds}",) if others else ()


def _kind(path: pathlib.Path) -> str:
    """The suffix if it is a usual one: after a dot there may be any part of a patient's name."""
    suffix = path.suffix.lower()
    return suffix if suffix in mimetypes.types_map else "without a usual suffix"


def _visible_files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Files below a folder without hidden ones, which systems put beside the user's."""

    def stop(fault: OSError) -> None:
        raise InputError(f"{fault.filename} cannot be read: {fault.strerror}") from fault

    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # Links to folders are not followed: they are listed with what is no picture.
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in (*names, *links):
            if not name.startswith(".") and name not in ("cohort.toml", "cohort.json"):
                yield (pathlib.Path(parent) / name).relative_to(folder)


def only_file(folder: pathlib.Path, name: str, usual: Sequence[str]) -> pathlib.Path:
    """The named file of the folder, or the one there is of the usual names; else InputError."""
    names = (name,) if name else usual
    found = [candidate for candidate in names if os.path.isfile(folder / candidate)]
    if len(found) != 1:
        expected = name or " or ".join(usual)
        problem = f"both {' and '.join(found)}" if found else f"no {expected}"
        raise InputError(f"{folder} has {problem}: name the file as `file` in cohort.toml")
    return folder / found[0]
