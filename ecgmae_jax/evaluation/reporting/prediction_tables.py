"""One model's predictions as a table, read from a CSV file that may hold those of several."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.number_columns import EVENT, RISK, TIME, VALUE

# Two sources may number their records alike.
KEY = ["source", "record_id"]
_NUMBERS = ["age_years", "num_pictures"]
_REQUIRED = [*KEY, "group", "split", "part", "sex", *_NUMBERS]


@dataclasses.dataclass(frozen=True, eq=False)
class PredictionTable:
    """Three tables with one row for each record, by source and name.

    Attributes:
        facts: all that is neither truth nor prediction: texts, of which `age_years` and
            `num_pictures` are numbers.
        truth: a column for each class, NaN where unknown.
        scores: the same of the model's probabilities.
    """

    facts: pd.DataFrame
    truth: pd.DataFrame
    scores: pd.DataFrame

    def only(self, rows: pd.Series) -> "PredictionTable":
        """Some of the records."""
        return PredictionTable(self.facts[rows], self.truth[rows], self.scores[rows])


def read_table(path: pathlib.Path, model: str, *, task: str) -> PredictionTable:
    """One model's part of a predictions.csv: the one of that name, or the file's only one.

    Raises:
        InputError: no such file, another kind of file, another task, no such model, something
            that is no number, a truth that is not 0 or 1, or two rows of one record.
    """
    table = _read(path)
    columns = [str(name) for name in table.columns]
    prefix = f"truth.{task}."
    classes = [name.removeprefix(prefix) for name in columns if name.startswith(prefix)]
    if not classes:
        tasks = {name.split(".")[1] for name in columns if name.startswith("truth.")}
        raise InputError(f"{path}: no column truth.{task}.…; set config.label to {sorted(tasks)}")
    found = _model_in(columns, model, f".{task}.{classes[0]}", path=path)
    part = _part(table, found, task=task, truths=classes, predicted=classes, path=path)
    for name, values in part.truth.items():
        odd = np.flatnonzero(~values.isin([0, 1]) & values.notna())
        if len(odd):
            raise InputError(
                f"{path}: {prefix}{name} is {values.iloc[odd[0]]:g} in line {odd[0] + 2}; expected "
                "0, 1 or nothing: outcomes that are numbers go into config.outcomes"
            )
    return part


def read_number_table(path: pathlib.Path, model: str, *, outcome: str) -> PredictionTable | None:
    """As `read_table`, for an outcome that is a number; None where the model does not predict it.

    The columns are those of `number_columns`.
    """
    table = _read(path)
    columns = [str(name) for name in table.columns]
    models = dict.fromkeys(name.split(".")[0] for name in columns if name.count(".") > 1)
    models.pop("truth", None)
    if model not in models and len(models) != 1:
        raise InputError(f"{path}: no model {model!r}; it has {[*models]}: use one of these names")
    found = model if model in models else next(iter(models))
    for truths, predicted in (([VALUE], VALUE), ([TIME, EVENT], RISK)):
        wanted = [*(f"truth.{outcome}.{part}" for part in truths), f"{found}.{outcome}.{predicted}"]
        if set(wanted) <= set(columns):
            return _part(
                table, found, task=outcome, truths=truths, predicted=[predicted], path=path
            )
    return None


def _part(
    table: pd.DataFrame,
    model: str,
    *,
    task: str,
    truths: Sequence[str],
    predicted: Sequence[str],
    path: pathlib.Path,
) -> PredictionTable:
    """The facts of a file, and the truth and one model's answers for one task."""
    facts = [name for name in map(str, table.columns) if name.count(".") < 2 and name not in KEY]
    tables = {
        "facts": table[facts],
        "truth": table[[f"truth.{task}.{name}" for name in truths]],
        "scores": table.reindex(columns=[f"{model}.{task}.{name}" for name in predicted]),
    }
    for kind, part in tables.items():
        tables[kind] = part.set_index(pd.MultiIndex.from_frame(table[KEY]))
        for name in part.columns if kind != "facts" else _NUMBERS:
            tables[kind][name] = _as_numbers(part[name], path).to_numpy()
    return PredictionTable(
        tables["facts"],
        tables["truth"].set_axis(list(truths), axis=1),
        tables["scores"].set_axis(list(predicted), axis=1),
    )


def _read(path: pathlib.Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file; linear_probe, finetune and evaluate write one")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not a readable CSV file ({str(fault).strip()})") from fault
    missing = [name for name in _REQUIRED if name not in table]
    if missing:
        raise InputError(f"{path}: columns {missing} are missing; give a predictions.csv")
    twice = table[table.duplicated(KEY)]
    if len(twice):
        raise InputError(
            f"{path}: record {twice['record_id'].iloc[0]!r} is there twice; expected one row for "
            "each record"
        )
    return table


def _model_in(columns: list[str], model: str, ending: str, *, path: pathlib.Path) -> str:
    """Under which name the file has the model."""
    there = [c.removesuffix(ending) for c in columns if c.endswith(ending)]
    there.remove("truth")
    if model in there:
        return model
    if len(there) != 1:
        raise InputError(f"{path}: no model {model!r}; it has {there}: use one of these names")
    return there[0]


def _as_numbers(column: pd.Series, path: pathlib.Path) -> pd.Series:
    text = column.fillna("")
    values = pd.to_numeric(text.replace("", np.nan), errors="coerce").astype(float)
    odd = text[values.isna() & (text != "")]
    if len(odd):
        raise InputError(
            f"{path}: {column.name} is {odd.iloc[0]!r} in line {odd.index[0] + 2}; expected a "
            "number or nothing"
        )
    return values
