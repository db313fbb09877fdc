"""Several models' predictions of the same records, read from the CSV files of other programs."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.reporting.prediction_tables import PredictionTable, read_table

TEST, VALIDATION = "test", "validation"
_AGREED = ["part", "group"]


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What models say of records, with the truth; NaN where either is unknown.

    Attributes:
        frame: one row per record: `record_id`, `source`, `group` (the patient), `split`, `part`,
            `num_pictures`, `age_years`, `sex` and whatever else the files know.
        left_out: classes in the files that some model does not predict.
        opposite: the first of two classes of which every record has one: its figures follow from
            those of the other, which alone is kept.
        probabilities: model -> its probabilities, in the order asked for.
    """

    task: str
    classes: tuple[str, ...]
    left_out: tuple[str, ...]
    frame: pd.DataFrame
    truth: Float64[np.ndarray, "b k"]
    probabilities: Mapping[str, Float64[np.ndarray, "b k"]]
    opposite: str | None = None

    def rows(self, part: str, *models: str) -> Bool[np.ndarray, " b"]:
        """The records of a part with a known truth that all the named models have predicted."""
        complete = ~np.isnan(self.truth).any(axis=1) & (self.frame["part"] == part).to_numpy()
        for model in models:
            complete &= ~np.isnan(self.probabilities[model]).any(axis=1)
        return complete

    def table(self) -> pd.DataFrame:
        """Facts, truth and probabilities of all models, in the columns they were read from."""
        columns = {f"truth.{self.task}.{name}": self.truth[:, k] for k, name in self._numbered()}
        for model, values in self.probabilities.items():
            columns |= {f"{model}.{self.task}.{name}": values[:, k] for k, name in self._numbered()}
        truths = [name for name in columns if name.startswith("truth.")]
        table = pd.concat([self.frame, pd.DataFrame(columns)], axis=1)
        return table.astype(dict.fromkeys(truths, "Int8"))

    def _numbered(self) -> list[tuple[int, str]]:
        return list(enumerate(self.classes))


def read_predictions(
    files: Mapping[str, pathlib.Path],
    *,
    task: str,
    development: Mapping[str, pathlib.Path],
) -> Predictions:
    """The predictions of each named model for one task, joined by record.

    A file may hold several models and then has one of that name; the only model of a file may be
    given any name.

    Args:
        files: model -> its file.
        task: what is predicted.
        development: model -> file whose training and validation records stand for those of its own
            file. So a model judged at another hospital keeps the thresholds of the first.

    Raises:
        InputError: a file that is not one of predictions, another task, files that contradict each
            other, models that predict different test records, or a patient in two parts.
    """
    tables = {
        name: _model_table(name, path, development.get(name), task=task)
        for name, path in files.items()
    }
    facts, truth = join_tables(tables, files)
    scores = {
        name: table.scores.reindex(index=truth.index, columns=truth.columns)
        for name, table in tables.items()
    }
    test = facts["part"] == TEST
    kept = ~np.any([values[test].isna().all() for values in scores.values()], axis=0)
    opposite = None
    if kept.all() and kept.size == 2 and (truth.dropna().sum(axis=1) == 1).all():
        opposite, kept[0] = str(truth.columns[0]), False
    predictions = Predictions(
        task=task,
        classes=tuple(truth.columns[kept]),
        left_out=() if opposite else tuple(truth.columns[~kept]),
        opposite=opposite,
        frame=facts.reset_index(),
        truth=truth.to_numpy(float)[:, kept],
        probabilities={name: values.to_numpy(float)[:, kept] for name, values in scores.items()},
    )
    _check(predictions)
    return predictions


def _model_table(
    name: str, path: pathlib.Path, development: pathlib.Path | None, *, task: str
) -> PredictionTable:
    table = read_table(path, name, task=task)
    if development is None:
        return table
    judged = table.only(table.facts["part"] == TEST)
    other = read_table(development, name, task=task)
    fitted = other.only(other.facts["part"] != TEST)
    if sorted(judged.truth.columns) != sorted(fitted.truth.columns):
        raise InputError(
            f"{development} has the classes {[*fitted.truth]} of {task!r}, {path} has "
            f"{[*judged.truth]}; the development file must be of the same label"
        )
    both = ((judged.facts, fitted.facts), (judged.truth, fitted.truth))
    facts, truth = (pd.concat(pair) for pair in both)
    return PredictionTable(facts, truth, pd.concat([judged.scores, fitted.scores]))


def join_tables(
    tables: Mapping[str, PredictionTable], files: Mapping[str, pathlib.Path]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts and truth of the records of all models' tables, by source and record.

    Raises:
        InputError: tables that contradict each other, which the message calls by their files.
    """
    first, *others = tables
    facts, truth = tables[first].facts, tables[first].truth
    for name in others:
        other = tables[name]
        if sorted(other.truth.columns) != sorted(truth.columns):
            raise InputError(
                f"{files[name]} has the classes {[*other.truth]}, {files[first]} has {[*truth]}; "
                "compare models of one label"
            )
        for ours, theirs in ((facts[_AGREED], other.facts[_AGREED]), (truth, other.truth)):
            _require_agreement(ours, theirs, paths=(files[first], files[name]))
        facts, truth = facts.combine_first(other.facts), truth.combine_first(other.truth)
    classes = list(tables[first].truth)
    return facts.sort_index(), truth.sort_index()[classes]


def _require_agreement(
    ours: pd.DataFrame, theirs: pd.DataFrame, *, paths: tuple[pathlib.Path, pathlib.Path]
) -> None:
    common = ours.index.intersection(theirs.index)
    for column in ours:
        one, other = ours.loc[common][column], theirs.loc[common][column]
        differs = (one != other) & ~(one.isna() & other.isna())
        if differs.any():
            record = common[differs.to_numpy()][0]
            raise InputError(
                f"record {record[1]!r} has {column} {one[record]!r} in {paths[0]} and "
                f"{other[record]!r} in {paths[1]}; compare models of one dataset and one split"
            )


def _check(found: Predictions) -> None:
    models = list(found.probabilities)
    predicted = {name: int(found.rows(TEST, name).sum()) for name in models}
    common = int(found.rows(TEST, *models).sum())
    if not common or max(predicted.values()) > common or not found.classes:
        raise InputError(
            f"of {int(found.rows(TEST).sum())} test records with a known {found.task!r} the models "
            f"predict {predicted}, and {common} in common; give files that predict the same ones"
        )
    parts = sorted(set(found.frame["part"]))
    part_rows(found.frame.assign(split=found.frame["part"]), {part: (part,) for part in parts})
