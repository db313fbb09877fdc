"""Splits written once to a file: which patient is in which part, and the rounds made of parts."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ecgmae_jax.data.splits import check_disjoint
from ecgmae_jax.errors import InputError

ROLES = ("train", "validation", "test")

Round = Mapping[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class SplitFile:
    """Parts of a cohort by patient.

    Attributes:
        source: of the cohort; part of the patients' hashes.
        mark: of the key behind the hashes, see `cohorts.identifiers.key_mark`.
        method: how the parts were made: name, settings, seed.
        parts: the patients' hashes by name of the part.
        left_out: patients in none of the parts, on purpose.
        rounds: of each, the parts that train, validate and test; one, or one per fold or site.
    """

    source: str
    mark: str
    method: Mapping[str, Any]
    parts: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    rounds: tuple[Round, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the file says."""
        text = json.dumps(_content(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """How the parts were made, without patients, as JSON can hold it."""
        rounds = [{role: list(names) for role, names in one.items()} for one in self.rounds]
        return {"sha256": self.fingerprint, "method": dict(self.method), "rounds": rounds}

    def part_of(self, groups: Iterable[str]) -> list[str]:
        """Name of the part of each patient, empty for those left out.

        Raises:
            InputError: a patient that the file does not know.
        """
        part = {group: name for name, members in self.parts.items() for group in members}
        part |= dict.fromkeys(self.left_out, "")
        found = [part.get(group) for group in groups]
        unknown = sum(name is None for name in found)
        if unknown:
            raise InputError(
                f"{unknown} of {len(found)} scans are of patients that the splits file of "
                f"{self.source!r} does not know: make the splits anew, with the same key"
            )
        return [name for name in found if name is not None]


def simple_round() -> tuple[Round, ...]:
    """The one round of parts that are called train, validation and test."""
    return ({role: (role,) for role in ROLES},)


def fold_rounds(folds: Iterable[str]) -> tuple[Round, ...]:
    """One round per fold: it tests, the next one validates, the others train."""
    names = tuple(folds)
    return tuple(
        {
            "train": tuple(n for n in names if n not in (name, names[(i + 1) % len(names)])),
            "validation": (names[(i + 1) % len(names)],),
            "test": (name,),
        }
        for i, name in enumerate(names)
    )


def splits_json(splits: SplitFile) -> bytes:
    """The file: JSON, with its checksum."""
    _check(splits, "the splits")
    return json.dumps({**_content(splits), "sha256": splits.fingerprint}, indent=1).encode() + b"\n"


def read_splits(path: str | os.PathLike[str]) -> SplitFile:
    """The splits that `splits_json` wrote.

    Raises:
        InputError: no such file, another kind of file, one that was altered, or a patient in two
            parts.
    """
    path = pathlib.Path(path).expanduser()
    try:
        given = json.loads(path.read_bytes())
        stated = given.pop("sha256")
        splits = SplitFile(
            source=given["source"],
            mark=given["mark"],
            method=given["method"],
            parts={name: tuple(members) for name, members in given["parts"].items()},
            left_out=tuple(given["left_out"]),
            rounds=tuple(
                {role: tuple(names) for role, names in one.items()} for one in given["rounds"]
            ),
        )
    except OSError as fault:
        raise InputError(f"the splits file {path} cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise InputError(
            f"{path} is no splits file: make one with configs/make_splits.py"
        ) from fault
    if stated != splits.fingerprint:
        raise InputError(
            f"the splits file {path} was altered after it was made (its checksum is "
            f"{splits.fingerprint[:12]}..., stated is {str(stated)[:12]}...): make it anew"
        )
    _check(splits, str(path))
    return splits


def _content(splits: SplitFile) -> dict[str, Any]:
    return {
        "source": splits.source,
        "mark": splits.mark,
        "method": dict(splits.method),
        "rounds": [{role: list(names) for role, names in one.items()} for one in splits.rounds],
        "left_out": sorted(splits.left_out),
        "parts": {name: sorted(members) for name, members in splits.parts.items()},
    }


def _check(splits: SplitFile, where: str) -> None:
    check_disjoint({**splits.parts, "left out": splits.left_out})
    # They become splits of TFDS, of which one name means all, and parts of the names of files.
    odd = [name for name in splits.parts if not re.fullmatch(r"\w+", name) or name == "all"]
    if odd:
        raise InputError(
            f"{where}: {odd} cannot be names of parts; use letters, digits and _, and not 'all'"
        )
    for one in splits.rounds:
        named = [name for names in one.values() for name in names]
        if len(set(named)) < len(named) or not set(named) <= set(splits.parts):
            raise InputError(
                f"{where}: a round is made of the parts {named}, there are "
                f"{sorted(splits.parts)}; a part trains, validates or tests"
            )
