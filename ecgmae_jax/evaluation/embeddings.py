"""Embeddings of pictures, with ids, splits and labels, as one Parquet file."""

import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.publishing import write_whole

COLUMNS = {
    "record_id": pa.string(),
    "patient_id": pa.string(),
    "source": pa.string(),
    "segment": pa.int32(),
    "start_s": pa.float32(),
    "group": pa.string(),
    "split": pa.string(),
    "age_years": pa.float32(),
    "sex": pa.string(),
    "diagnoses": pa.list_(pa.string()),
}
# Facts that only some datasets have: columns where the frame has them.
FURTHER_COLUMNS = ("site", "device", "layout", "image_quality")
_METADATA_KEY = b"ecgmae"
_LABEL_PREFIX = "label."
_NUMBER_PREFIX = "number."
_LABEL_FACTS = ("classes", "exclusive", "empty_is_missing")


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """The truth of one task: 0 or 1 per class, a whole row of NaN where it is unknown.

    Attributes:
        exclusive: one class per row; otherwise any number of them.
        empty_is_missing: an any-of row without a class counts as unknown, as in the PTB-XL
            benchmark (Strodthoff et al. 2020).
    """

    classes: tuple[str, ...]
    exclusive: bool
    empty_is_missing: bool
    values: Float32[np.ndarray, "b k"]


@dataclasses.dataclass(frozen=True, eq=False)
class Embeddings:
    """One row per picture, or per record once aggregated.

    Attributes:
        frame: the columns of `COLUMNS` (`group` is the patient's hash) and those of
            `FURTHER_COLUMNS` that are known, in row order.
        labels: task -> truth, rows as in `frame`.
        matrix: the embeddings.
        metadata: JSON-able facts about the run: `encoder`, `pooling`, `checkpoint`, `dataset`, ...
        numbers: continuous outcomes, times and events by name, NaN where unknown.
    """

    frame: pd.DataFrame
    labels: Mapping[str, Labels]
    matrix: Float32[np.ndarray, "b d"]
    metadata: Mapping[str, Any]
    numbers: Mapping[str, Float64[np.ndarray, " b"]] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.matrix)


def write_embeddings(path: str | os.PathLike, embeddings: Embeddings) -> None:
    """Writes the file whole or not at all."""
    frame = embeddings.frame
    columns = {name: pa.array(frame[name].tolist(), type=kind) for name, kind in COLUMNS.items()}
    for name in FURTHER_COLUMNS:
        if name in frame:
            columns[name] = pa.array(frame[name], from_pandas=True)
    for task, labels in embeddings.labels.items():
        columns[_LABEL_PREFIX + task] = _label_column(labels)
    for name, values in embeddings.numbers.items():
        columns[_NUMBER_PREFIX + name] = pa.array(values, type=pa.float64(), from_pandas=True)
    flat = pa.array(np.ascontiguousarray(embeddings.matrix).reshape(-1), type=pa.float32())
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, embeddings.matrix.shape[1])
    label_sets = {
        task: {name: getattr(labels, name) for name in _LABEL_FACTS}
        for task, labels in embeddings.labels.items()
    }
    metadata = json.dumps({**embeddings.metadata, "label_sets": label_sets})
    table = pa.table(columns).replace_schema_metadata({_METADATA_KEY: metadata.encode()})
    whole = io.BytesIO()
    pq.write_table(table, whole, compression="zstd")
    write_whole(pathlib.Path(path), whole.getvalue())


def read_embeddings(path: str | os.PathLike) -> Embeddings:
    """The rows of a file that `write_embeddings` made.

    Raises:
        InputError: no such file, another kind of file, no rows, or numbers that are not finite.
    """
    table = _read_table(path)
    metadata = json.loads(table.schema.metadata[_METADATA_KEY])
    label_sets = metadata.pop("label_sets")
    width = table.schema.field("embedding").type.list_size
    flat = table.column("embedding").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    matrix = flat.astype(np.float32, copy=False).reshape(-1, width)
    if not len(matrix):
        raise InputError(f"{path}: no rows; run the embed program again")
    if not np.isfinite(matrix).all():
        bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
        record = table.column("record_id")[int(bad[0])].as_py()
        raise InputError(
            f"{path}: {len(bad)} of {len(matrix)} embeddings hold NaN or infinity, the first is "
            f"record {record!r}; check the checkpoint that made them"
        )
    known = [*COLUMNS, *(name for name in FURTHER_COLUMNS if name in table.column_names)]
    frame = pd.DataFrame({name: table.column(name).to_pylist() for name in known})
    labels = {
        task: _labels(table.column(_LABEL_PREFIX + task).to_pylist(), path=path, task=task, **kind)
        for task, kind in label_sets.items()
    }
    numbers = {
        column.removeprefix(_NUMBER_PREFIX): np.array(table.column(column).to_pylist(), np.float64)
        for column in table.column_names
        if column.startswith(_NUMBER_PREFIX)
    }
    return Embeddings(frame, labels, matrix, metadata, numbers)


def _read_table(path: str | os.PathLike) -> pa.Table:
    if not pathlib.Path(path).is_file():
        raise InputError(f"{path}: no such file; make it with configs/embed.py")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as fault:
        reason = str(fault).splitlines()[0]
        raise InputError(f"{path}: not a readable Parquet file ({reason})") from fault
    if _METADATA_KEY not in (table.schema.metadata or {}):
        raise InputError(f"{path}: a Parquet file, but not one of the embed program; make it anew")
    try:
        tasks = dict(json.loads(table.schema.metadata[_METADATA_KEY])["label_sets"])
        if any(set(kind) != set(_LABEL_FACTS) for kind in tasks.values()):
            raise KeyError("label_sets")
    except (ValueError, KeyError, TypeError) as fault:
        raise InputError(f"{path}: its metadata are damaged; make it anew") from fault
    types = dict(zip(table.schema.names, table.schema.types, strict=True))
    wrong = [name for name, kind in COLUMNS.items() if types.get(name) != kind]
    others = ("embedding", *(_LABEL_PREFIX + task for task in tasks))
    if wrong := [*wrong, *(name for name in others if name not in types)]:
        raise InputError(f"{path}: columns {wrong} are missing or of another type, found {types}")
    kind = table.schema.field("embedding").type
    if not (pa.types.is_fixed_size_list(kind) and pa.types.is_float32(kind.value_type)):
        raise InputError(f"{path}: embeddings of type {kind}, expected as many float32 in each row")
    return table


def _label_column(labels: Labels) -> pa.Array:
    names = np.array(labels.classes, dtype=object)
    rows: list[Any] = []
    for row in labels.values:
        if np.isnan(row).any():
            rows.append(None)
        elif labels.exclusive:
            rows.append(str(names[int(np.argmax(row))]))
        else:
            rows.append([str(name) for name in names[row > 0]])
    return pa.array(rows, type=pa.string() if labels.exclusive else pa.list_(pa.string()))


def _labels(
    column: list,
    *,
    path: str | os.PathLike,
    task: str,
    classes: list[str],
    exclusive: bool,
    empty_is_missing: bool,
) -> Labels:
    position = {name: i for i, name in enumerate(classes)}
    values = np.zeros((len(column), len(classes)), np.float32)
    for i, found in enumerate(column):
        if found is None or (not exclusive and empty_is_missing and not found):
            values[i] = np.nan
            continue
        for name in [found] if exclusive else found:
            if name not in position:
                raise InputError(
                    f"{path}: row {i} has {name!r} in {_LABEL_PREFIX}{task}; "
                    f"expected one of {classes}"
                )
            values[i, position[name]] = 1.0
    return Labels(tuple(classes), exclusive, empty_is_missing, values)
