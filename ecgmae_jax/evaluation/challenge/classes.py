"""The classes that the PhysioNet/CinC Challenges score, and what confusing two of them earns."""

import csv
import dataclasses
import pathlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float64

from ecgmae_jax.errors import InputError

YEARS = (2020, 2021)
# Scored as one in 2020, whose table has a row for each; the table of 2021 joins them itself.
_EQUIVALENT_2020 = (
    ("713427006", "59118001"),
    ("284470004", "63593006"),
    ("427172004", "17338001"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """The scored classes.

    Attributes:
        names: as class_scores.csv writes them.
        codes: the SNOMED CT codes that count as each class.
        weights: what calling a class (column) earns where another (row) is true.
    """

    names: tuple[str, ...]
    codes: tuple[frozenset[str], ...]
    weights: Float64[np.ndarray, "k k"]

    def of(self, codes: Iterable[str]) -> list[int]:
        """Which classes share a code with these."""
        found = frozenset(codes)
        return [k for k, mine in enumerate(self.codes) if mine & found]


def read_classes(path: pathlib.Path, *, year: int) -> Classes:
    """The classes and weights of the Challenge's `weights.csv`.

    Raises:
        InputError: no such file, or a table that is not square, not of numbers, or of which two
            equivalent classes differ.
    """
    rows = [row for row in csv.reader(text_of(path).splitlines()) if row]
    columns = [name.strip() for name in rows[0][1:]] if rows else []
    names = [row[0].strip() for row in rows[1:]]
    if not names or names != columns or {len(row) for row in rows} != {len(columns) + 1}:
        raise InputError(
            f"{path}: {len(names)} rows and {len(columns)} columns of classes that should be the "
            "same; give the weights.csv of the Challenge's evaluation code"
        )
    try:
        weights = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    except ValueError as fault:
        raise InputError(f"{path}: {fault}; every weight is a number") from fault
    if year == 2020:
        return _joined_2020(path, names, weights)
    codes = tuple(frozenset(name.split("|")) for name in names)
    return Classes(tuple("|".join(sorted(one)) for one in codes), codes, weights)


def _joined_2020(path: pathlib.Path, names: list[str], weights: np.ndarray) -> Classes:
    first_of = {code: pair[0] for pair in _EQUIVALENT_2020 for code in pair}
    names = [first_of.get(name, name) for name in names]
    kept = list(dict.fromkeys(names))
    for name in kept:
        rows = [row for row, other in enumerate(names) if other == name]
        if np.ptp(weights[rows], axis=0).any() or np.ptp(weights[:, rows], axis=1).any():
            raise InputError(
                f"{path}: the {len(rows)} rows of class {name} and its equivalents differ; they "
                "are one class, give them the same weights"
            )
    where = [names.index(name) for name in kept]
    codes = tuple(
        frozenset({name} | {code for code, first in first_of.items() if first == name})
        for name in kept
    )
    return Classes(tuple(kept), codes, weights[np.ix_(where, where)])


def text_of(path: pathlib.Path) -> str:
    """The file's text; InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from fault
