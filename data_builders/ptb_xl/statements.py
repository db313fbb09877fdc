"""The 71 SCP-ECG statements of PTB-XL and the label sets of its benchmark."""

import csv
import dataclasses
import pathlib
from collections.abc import Collection, Mapping

from ecgmae_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Statement:
    """Where a statement belongs; `superclass` and `subclass` are empty unless it is diagnostic."""

    diagnostic: bool
    form: bool
    rhythm: bool
    superclass: str
    subclass: str

    def classes(self, name: str) -> dict[str, str]:
        """The class that the statement `name` stands for, in each task that knows it."""
        found = {
            "superclass": self.superclass,
            "subclass": self.subclass,
            "diagnostic": name if self.diagnostic else "",
            "form": name if self.form else "",
            "rhythm": name if self.rhythm else "",
            "statements": name,
        }
        return {task: label for task, label in found.items() if label}


def read_statements(path: pathlib.Path) -> dict[str, Statement]:
    """The table `scp_statements.csv` of PTB-XL, by statement.

    Raises:
        InputError: if the file is missing or is not that table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        # The first column, the statement itself, has no name in the official file.
        return {next(iter(row.values())): _statement(row) for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError) as fault:
        raise InputError(
            f"{path} is not the table of statements of PTB-XL ({fault!r}): unpack PTB-XL again"
        ) from fault


def _statement(row: Mapping[str, str]) -> Statement:
    diagnostic = _is_one(row["diagnostic"])
    return Statement(
        diagnostic=diagnostic,
        form=_is_one(row["form"]),
        rhythm=_is_one(row["rhythm"]),
        superclass=row["diagnostic_class"].strip() if diagnostic else "",
        subclass=row["diagnostic_subclass"].strip() if diagnostic else "",
    )


def _is_one(cell: str) -> bool:
    return cell.strip() in ("1", "1.0")


# A copy of five columns of scp_statements.csv of PTB-XL 1.0.3 (Wagner et al. 2020, CC BY 4.0),
# since the classes must be known before the data is.
STATEMENTS = read_statements(pathlib.Path(__file__).with_name("scp_statements.csv"))


def label_classes() -> dict[str, list[str]]:
    """The sorted classes of each task: 5, 23, 44, 19, 12 and 71."""
    classes: dict[str, set[str]] = {}
    for name, statement in STATEMENTS.items():
        for task, label in statement.classes(name).items():
            classes.setdefault(task, set()).add(label)
    return {task: sorted(labels) for task, labels in classes.items()}


def labels_of_statements(names: Collection[str]) -> dict[str, list[str]]:
    """The classes of each task for a recording with these statements, whatever their likelihood.

    As in the benchmark (Strodthoff et al. 2021), where a likelihood of 0 counts as well: it
    means that none was given.
    """
    labels: dict[str, set[str]] = {task: set() for task in label_classes()}
    for name in names:
        for task, label in STATEMENTS[name].classes(name).items():
            labels[task].add(label)
    return {task: sorted(found) for task, found in labels.items()}
