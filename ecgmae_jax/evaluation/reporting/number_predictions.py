"""Several models' predictions of an outcome that is a number, read from predictions.csv files."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.reporting.number_columns import EVENT, TIME, VALUE, number_columns
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, join_tables
from ecgmae_jax.evaluation.reporting.prediction_tables import KEY, read_number_table
from ecgmae_jax.evaluation.statistics.outcome_measures import NumericTruth


@dataclasses.dataclass(frozen=True, eq=False)
class NumberPredictions:
    """What models say of one numeric outcome, with the truth; NaN where either is unknown.

    Attributes:
        frame: one row per record, as in `Predictions`.
        predictions: model -> values, or log relative hazards, in the order asked for.
        without: models that do not predict the outcome.
    """

    outcome: str
    frame: pd.DataFrame
    truth: NumericTruth
    predictions: Mapping[str, Float64[np.ndarray, " b"]]
    without: tuple[str, ...]

    def rows(self, part: str, *models: str) -> Bool[np.ndarray, " b"]:
        """The records of a part with a known truth that all the named models have predicted."""
        complete = self.truth.known & (self.frame["part"] == part).to_numpy()
        for model in models:
            complete &= ~np.isnan(self.predictions[model])
        return complete

    def table(self) -> pd.DataFrame:
        """Facts, truth and predictions of all models, in the columns they were read from."""
        numbers = number_columns(self.outcome, self.truth, self.predictions)
        return pd.concat([self.frame, numbers], axis=1)


def read_outcome(files: Mapping[str, pathlib.Path], *, outcome: str) -> NumberPredictions:
    """The predictions of each named model for one numeric outcome, joined by record.

    Names are those of `read_predictions`.

    Raises:
        InputError: a file that is not one of predictions, an outcome that no model predicts, files
            that contradict each other, models that predict different test records, an event that
            is not 0 or 1, or a patient in two parts.
    """
    found = {name: read_number_table(path, name, outcome=outcome) for name, path in files.items()}
    tables = {name: table for name, table in found.items() if table is not None}
    if not tables:
        raise InputError(
            f"config.outcomes names {outcome!r}, and none of {[*map(str, files.values())]} has "
            f"truth.{outcome}.{VALUE} or truth.{outcome}.{TIME} with predictions of {[*files]}; "
            "fit it with config.outcomes of linear_probe"
        )
    facts, truth = join_tables(tables, files)
    columns = {name: truth[name].to_numpy(np.float64) for name in truth}
    odd = sorted(set(truth.get(EVENT, truth.iloc[:0, 0]).dropna()) - {0.0, 1.0})
    if odd:
        raise InputError(
            f"truth.{outcome}.{EVENT} holds {odd[0]:g} in one of {[*map(str, files.values())]}; "
            "expected 1 where the event came, 0 where it had not, nothing where that is unknown"
        )
    predictions = NumberPredictions(
        outcome=outcome,
        frame=facts.reset_index(),
        truth=NumericTruth(columns[VALUE if VALUE in columns else TIME], columns.get(EVENT)),
        predictions={
            name: table.scores.reindex(index=truth.index).to_numpy(np.float64)[:, 0]
            for name, table in tables.items()
        },
        without=tuple(name for name in files if name not in tables),
    )
    _check(predictions)
    return predictions


def _check(found: NumberPredictions) -> None:
    models = list(found.predictions)
    predicted = {name: int(found.rows(TEST, name).sum()) for name in models}
    common = int(found.rows(TEST, *models).sum())
    if common < 2 or max(predicted.values()) > common:
        raise InputError(
            f"of {int(found.rows(TEST).sum())} test records with a known {found.outcome!r} the "
            f"models predict {predicted}, and {common} in common; give files that predict the same "
            "ones, at least two"
        )
    parts = sorted(set(found.frame["part"]))
    part_rows(found.frame.assign(split=found.frame["part"]), {part: (part,) for part in parts})


def join_columns(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per record of any table: its facts from the first that has them, and all columns."""
    first, *others = (table.set_index(KEY) for table in tables)
    for other in others:
        own = [name for name in other if name not in first]
        first = first.join(other[own], how="outer").fillna(other[other.columns.difference(own)])
    return first.reset_index()
