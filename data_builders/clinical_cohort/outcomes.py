"""Outcomes of a cohort: which classes there are, and what a cell says."""

import collections
import dataclasses
import re
from collections.abc import Iterable, Sequence

from ecgmae_jax.errors import InputError

SEPARATOR = ","
_MOST_CLASSES = 100
_MOST_TOLD = 10
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One thing to predict.

    Attributes:
        column: where the table has it.
        classes: in order; none says that those found in the table are meant.
        several: a cell may name several classes, separated by commas.
    """

    column: str
    classes: tuple[str, ...] = ()
    several: bool = False

    def words(self, cell: str, missing: Sequence[str]) -> list[str]:
        """The classes that a cell names as it names them; none where it is missing."""
        parts = cell.split(SEPARATOR) if self.several else [cell]
        words = dict.fromkeys(" ".join(part.split()) for part in parts)
        return [word for word in words if word not in missing]

    def encode(self, cell: str, missing: Sequence[str]) -> int | list[int]:
        """Index of the cell's class, -1 where it is missing; a list of them if `several`."""
        found = [class_index(self.classes, word) for word in self.words(cell, missing)]
        indices = sorted({index for index in found if index is not None})
        return indices if self.several else (indices or [-1])[0]


def class_index(classes: Sequence[str], word: str) -> int | None:
    """Place of a class given by its name or, where no name is a number, by its index."""
    if word in classes:
        return classes.index(word)
    is_index = word.isascii() and word.isdecimal() and not any(map(str.isdecimal, classes))
    return int(word) if is_index and int(word) < len(classes) else None


def complete(
    name: str, outcome: Outcome, cells: Iterable[tuple[str, str]], *, missing: Sequence[str]
) -> Outcome:
    """The outcome with its classes: those it declares, else all that occur, in natural order.

    Args:
        name: of the outcome, for messages.
        outcome: as declared.
        cells: text of each cell and where it stands.
        missing: words that say that nothing is known.

    Raises:
        InputError: for a class that was not declared, or where the column holds no classes.
    """
    first_use: dict[str, str] = {}
    for cell, where in cells:
        for word in outcome.words(cell, missing):
            first_use.setdefault(word, where)
    if outcome.classes:
        for word, where in first_use.items():
            if class_index(outcome.classes, word) is None:
                raise InputError(
                    f"{where} has {word!r} for outcome {name!r}, whose classes are "
                    f"{', '.join(outcome.classes)}: correct the cell, or add it to `classes` or "
                    "to `missing` in cohort.toml"
                )
        return outcome
    if not first_use:
        raise InputError(
            f"outcome {name!r} (column {outcome.column!r}) has no value in any row: fill the "
            "column, or leave it out of [outcomes] in cohort.toml"
        )
    if len(first_use) > _MOST_CLASSES:
        raise InputError(
            f"outcome {name!r} (column {outcome.column!r}) has {len(first_use)} different values, "
            f"such as {next(iter(first_use))!r}; an outcome has at most {_MOST_CLASSES} classes: "
            "put the values into classes first, or leave it out of [outcomes] in cohort.toml"
        )
    return dataclasses.replace(outcome, classes=tuple(sorted(first_use, key=_natural)))


def _natural(word: str) -> tuple[bool, float, str]:
    """Numbers by value, before words by letters."""
    is_number = _NUMBER.fullmatch(word) is not None
    return not is_number, float(word) if is_number else 0.0, word


def tell(name: str, outcome: Outcome, labels: Sequence[int | list[int]]) -> list[str]:
    """Remarks on what the scans' labels hold: how often each class, and how often none."""
    present = [label if isinstance(label, list) else [label] * (label >= 0) for label in labels]
    counts = collections.Counter(index for indices in present for index in indices)
    missing = sum(not indices for indices in present)
    parts = [f"{outcome.classes[index]} {count}" for index, count in counts.most_common(_MOST_TOLD)]
    more = f" and {len(counts) - _MOST_TOLD} more classes" if len(counts) > _MOST_TOLD else ""
    remarks = [f"outcome {name}: {', '.join(parts) or 'none'}{more}; missing {missing}"]
    if len(counts) < 2 and not outcome.several:
        remarks.append(f"outcome {name} has fewer than two classes: nothing can be learned from it")
    return remarks
