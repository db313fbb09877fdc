"""AUROC against the number of training patients, from the CSV file of a few-shot run."""

import pathlib
from typing import Any

import pandas as pd

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.few_shot import summarise_draws

_NUMBERS = ["share", "draw", "patients", "auroc"]
_COLUMNS = ["task", "row", *_NUMBERS]


def read_efficiency(path: pathlib.Path, *, task: str) -> list[dict[str, Any]]:
    """The draws of one task summarised, see `summarise_draws`.

    Raises:
        InputError: no such file, other columns, something that is no number, or another task.
    """
    try:
        table = pd.read_csv(path, dtype={"task": str, "row": str})
    except FileNotFoundError as fault:
        raise InputError(f"{path}: no such file; give a few_shot.csv, or none") from fault
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not a readable CSV file ({str(fault).strip()})") from fault
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise InputError(f"{path}: columns {missing} are missing; expected {_COLUMNS}")
    words = [name for name in _NUMBERS if table[name].dtype.kind not in "if"]
    if words or table[_NUMBERS].isna().any(axis=None):
        raise InputError(f"{path}: not every one of {words or _NUMBERS} is a number")
    own = table[table["task"] == task]
    if not len(own):
        raise InputError(f"{path}: no row of task {task!r}, only {sorted(set(table['task']))}")
    rows = [{str(name): value for name, value in row.items()} for row in own.to_dict("records")]
    return summarise_draws(rows)
