"""Every record with its truth and predictions: enough to compute all figures of a report again."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int

from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.readouts.task import TaskResult
from ecgmae_jax.evaluation.statistics.subgroups import VARIABLES

_IDS = ("record_id", "source", "group", "split", "num_pictures")


@dataclasses.dataclass(frozen=True, eq=False)
class Predicted:
    """Probabilities of a task's fitted classes for further records, such as the validation part."""

    rows: Int[np.ndarray, " b"]
    probabilities: Mapping[str, Float64[np.ndarray, "b k"]]


def predictions_table(
    frame: pd.DataFrame,
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    labels: Mapping[str, Labels],
    results: Mapping[str, TaskResult],
    *,
    encoders: Sequence[str],
    further: Mapping[str, Predicted] | None = None,
    numbers: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """One row per record of any part.

    Besides what identifies the record, the columns that subgroups are made of where `frame` has
    them; `truth.<task>.<class>` (0 or 1, empty where unknown) and `<encoder>.<task>.<class>`, the
    predicted probability, of test records and those of `further` (by task). `numbers` are further
    columns of all records, as `number_columns` makes them.
    """
    facts = [name for name in VARIABLES if name in frame and name not in _IDS]
    columns: dict[str, np.ndarray] = {name: frame[name].to_numpy() for name in (*_IDS, *facts)}
    columns["part"] = np.select(list(parts.values()), list(parts), default="")
    for task, result in results.items():
        truth = labels[task]
        for k, name in enumerate(truth.classes):
            columns[f"truth.{task}.{name}"] = truth.values[:, k]
        known = [Predicted(result.test_rows, result.probabilities)]
        if further and task in further:
            known.append(further[task])
        for encoder in encoders:
            for k, name in enumerate(result.classes):
                column = np.full(len(frame), np.nan)
                for predicted in known:
                    column[predicted.rows] = predicted.probabilities[encoder][:, k]
                columns[f"{encoder}.{task}.{name}"] = column
    table = pd.DataFrame(columns)
    truths = [name for name in table.columns if name.startswith("truth.")]
    table[truths] = table[truths].astype("Int8")
    return pd.concat([table, *numbers], axis=1)[table["part"] != ""]
