"""Outcomes of a cohort: of which type, which classes there are, and what a cell says."""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecgmae_jax.errors import InputError

TYPES = ("binary", "multi-class", "multi-label", "continuous", "time-to-event")
SEPARATOR = ","
_MOST_CLASSES = 100
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_EVENTS = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0}

Cells = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One thing to predict.

    Attributes:
        column: where the table has it: a class, several of them, a number, or a time.
        type: one of TYPES.
        classes: in order; none says that those found in the table are meant.
        event: of a time, the column that says whether the event came (1) or was not seen until
            then (0).
        unit: of a number or a time, for reports.
    """

    column: str
    type: str = "multi-class"
    classes: tuple[str, ...] = ()
    event: str = ""
    unit: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is a number or a time, not classes."""
        return self.type in ("continuous", "time-to-event")

    @property
    def several(self) -> bool:
        """Whether a cell may name several classes, separated by commas."""
        return self.type == "multi-label"

    def words(self, cell: str, missing: Sequence[str]) -> list[str]:
        """The classes that a cell names as it names them; none where it is missing."""
        parts = cell.split(SEPARATOR) if self.several else [cell]
        words = dict.fromkeys(" ".join(part.split()) for part in parts)
        return [word for word in words if word not in missing]

    def encode(self, name: str, cells: Cells, missing: Sequence[str]) -> Any:
        """What is stored of a row.

        Of a number its `value`, of a time `time` and `event` (1 or 0), NaN where missing. Else the
        index of the class, -1 where it is missing; a list of them for several.
        """
        if self.is_number:
            return self._numbers(name, cells, missing)
        found = [class_index(self.classes, word) for word in self.words(cells[name], missing)]
        indices = sorted({index for index in found if index is not None})
        return indices if self.several else (indices or [-1])[0]

    def _numbers(self, name: str, cells: Cells, missing: Sequence[str]) -> dict[str, float]:
        """The numbers of a row; ValueError, in words for people, for what is none."""
        value = _number(cells[name], missing)
        if self.type == "continuous":
            return {"value": value}
        word = cells[event_key(name)]
        event = math.nan if word in missing else _EVENTS.get(word.lower())
        if event is None:
            raise ValueError(f"the event {word!r}, expected 1 or 0")
        if value < 0 or math.isnan(value) != math.isnan(event):
            raise ValueError(
                f"the time {cells[name]!r} with the event {word!r}, expected a time from 0 on and "
                "an event, or neither"
            )
        return {"time": value, "event": event}


def event_key(name: str) -> str:
    """Where the cells of a row hold the event of an outcome; no outcome has such a name."""
    return f"{name}.event"


def _number(cell: str, missing: Sequence[str]) -> float:
    if cell in missing:
        return math.nan
    if not _NUMBER.fullmatch(cell):
        raise ValueError("a cell that is no number")
    # Half of Europe writes 63,5.
    number = float(cell.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError("a number that is too large")
    return number


def class_index(classes: Sequence[str], word: str) -> int | None:
    """Place of a class given by its name or, where no name is a number, by its index."""
    if word in classes:
        return classes.index(word)
    is_index = word.isascii() and word.isdecimal() and not any(map(str.isdecimal, classes))
    return int(word) if is_index and int(word) < len(classes) else None


def complete(
    name: str, outcome: Outcome, rows: Sequence[tuple[Cells, str]], *, missing: Sequence[str]
) -> Outcome:
    """The outcome with its classes: those it declares, else all that occur, in natural order.

    Args:
        name: of the outcome.
        outcome: as declared.
        rows: the cells of each row and where it stands.
        missing: words that say that nothing is known.

    Raises:
        InputError: for a class that was not declared, a number that is none, and where the column
            does not hold what the type says.
    """
    if outcome.is_number:
        for cells, where in rows:
            try:
                outcome.encode(name, cells, missing)
            except ValueError as fault:
                raise InputError(
                    f"{where} has {fault}, for the {outcome.type} outcome {name!r}: correct the "
                    "cell, or add its word to `missing` in cohort.toml"
                ) from fault
        return outcome
    first_use: dict[str, str] = {}
    for cells, where in rows:
        for word in outcome.words(cells[name], missing):
            first_use.setdefault(word, where)
    classes = outcome.classes or _classes_found(name, outcome, first_use)
    for word, where in first_use.items():
        if class_index(classes, word) is None:
            raise InputError(
                f"{where} has {word!r} for outcome {name!r}, whose classes are "
                f"{', '.join(classes)}: correct the cell, or add it to `classes` or to `missing` "
                "in cohort.toml"
            )
    if outcome.type == "binary" and len(classes) > 2:
        raise InputError(
            f"outcome {name!r} is declared binary and has {len(classes)} classes: correct the "
            "column, or set type = 'multi-class' in cohort.toml"
        )
    return dataclasses.replace(outcome, classes=classes)


def _classes_found(name: str, outcome: Outcome, first_use: Mapping[str, str]) -> tuple[str, ...]:
    if not first_use:
        raise InputError(
            f"outcome {name!r} (column {outcome.column!r}) has no value in any row: fill the "
            "column, or leave it out of [outcomes] in cohort.toml"
        )
    if len(first_use) > _MOST_CLASSES:
        raise InputError(
            f"outcome {name!r} (column {outcome.column!r}) has {len(first_use)} different values; "
            f"an outcome has at most {_MOST_CLASSES} classes: set type = 'continuous' in "
            "cohort.toml, put the values into classes, or leave the outcome out"
        )
    return tuple(sorted(first_use, key=_natural))


def _natural(word: str) -> tuple[bool, float, str]:
    """Numbers by value, before words by letters."""
    is_number = _NUMBER.fullmatch(word) is not None
    return not is_number, float(word.replace(",", ".")) if is_number else 0.0, word
