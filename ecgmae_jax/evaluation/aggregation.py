"""From one row per picture to one row per record."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings

# A record is known by both: two sources may number their records alike.
RECORD_KEY = ("source", "record_id")
AGGREGATIONS: Mapping[str, Any] = {"mean": np.add, "max": np.maximum}


def check_rule(rule: str) -> None:
    """Raises InputError unless there is such a rule."""
    if rule not in AGGREGATIONS:
        raise InputError(f"aggregation rule {rule!r} unknown; choose one of {[*AGGREGATIONS]}")


def aggregate_records(embeddings: Embeddings, *, rule: str) -> Embeddings:
    """One row per record, ordered by source and record.

    The embedding is the `mean` or the `max` over the record's pictures, as `rule` says; the frame
    keeps the columns that belong to a record and gains `num_pictures`.

    Raises:
        InputError: an unknown rule, or pictures of one record that differ in patient, split or
            label.
    """
    check_rule(rule)
    order, starts = _runs_of_records(embeddings.frame)
    counts = np.diff(np.append(starts, len(order)))
    frame = embeddings.frame.iloc[order].reset_index(drop=True)
    for column in ("group", "split"):
        _require_constant(frame[column].to_numpy(str), starts, counts, what=column, frame=frame)
    labels = {}
    for task, truth in embeddings.labels.items():
        values = truth.values[order]
        _require_constant(values, starts, counts, what=f"label.{task}", frame=frame)
        labels[task] = dataclasses.replace(truth, values=values[starts])
    numbers = {}
    for name, values in embeddings.numbers.items():
        _require_constant(values[order], starts, counts, what=f"number.{name}", frame=frame)
        numbers[name] = values[order][starts]
    matrix = AGGREGATIONS[rule].reduceat(embeddings.matrix[order], starts, axis=0)
    if rule == "mean":
        matrix = matrix / counts[:, None].astype(np.float32)
    records = frame.iloc[starts].drop(columns=["segment", "start_s"]).reset_index(drop=True)
    return Embeddings(
        frame=records.assign(num_pictures=counts),
        labels=labels,
        matrix=matrix,
        metadata={**embeddings.metadata, "aggregation": rule},
        numbers=numbers,
    )


def _runs_of_records(frame: pd.DataFrame) -> tuple[Int[np.ndarray, " b"], Int[np.ndarray, " r"]]:
    order = frame.sort_values([*RECORD_KEY, "segment"], kind="stable").index.to_numpy()
    keys = frame.loc[order, list(RECORD_KEY)]
    is_new = (keys != keys.shift()).any(axis=1).to_numpy()
    return order, np.flatnonzero(is_new)


def _require_constant(
    values: np.ndarray,
    starts: Int[np.ndarray, " r"],
    counts: Int[np.ndarray, " r"],
    *,
    what: str,
    frame: pd.DataFrame,
) -> None:
    first = np.repeat(values[starts], counts, axis=0)
    differs = values != first
    if values.dtype.kind == "f":
        differs &= ~(np.isnan(values) & np.isnan(first))
    rows = np.flatnonzero(differs if values.ndim == 1 else differs.any(axis=1))
    if len(rows):
        raise InputError(
            f"record {frame['record_id'][int(rows[0])]!r}: its pictures differ in {what}; "
            "all pictures of a record must share patient, split and labels"
        )
