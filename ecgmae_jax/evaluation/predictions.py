"""Every record with its truth and predictions: enough to compute all figures of a report again."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.task import TaskResult


def predictions_table(
    frame: pd.DataFrame,
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    labels: Mapping[str, Labels],
    results: Mapping[str, TaskResult],
    *,
    encoders: Sequence[str],
) -> pd.DataFrame:
    """One row per record of any part.

    Columns `truth.<task>.<class>` (0 or 1, empty where unknown) and
    `<encoder>.<task>.<class>`, the predicted probability of test records.
    """
    ids = ["record_id", "source", "group", "split", "num_pictures", "age_years", "sex"]
    columns: dict[str, np.ndarray] = {name: frame[name].to_numpy() for name in ids}
    columns["part"] = np.select(list(parts.values()), list(parts), default="")
    for task, result in results.items():
        truth = labels[task]
        for k, name in enumerate(truth.classes):
            columns[f"truth.{task}.{name}"] = truth.values[:, k]
        for encoder in encoders:
            for k, name in enumerate(result.classes):
                column = np.full(len(frame), np.nan)
                column[result.test_rows] = result.probabilities[encoder][:, k]
                columns[f"{encoder}.{task}.{name}"] = column
    table = pd.DataFrame(columns)
    truths = [name for name in table.columns if name.startswith("truth.")]
    table[truths] = table[truths].astype("Int8")
    return table[table["part"] != ""]
