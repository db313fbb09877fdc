"""Embeddings of several encoders are comparable only over the very same pictures and labels."""

from collections.abc import Mapping

import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings


def require_same_pictures(files: Mapping[str, Embeddings]) -> None:
    """Checks that all files hold the same pictures with the same patients, splits and labels.

    Rows may be in any order. `files` maps a file's name, for the message, to its content.

    Raises:
        InputError: naming the two files and what differs.
    """
    first, *others = files
    reference, order = files[first], _order(files[first])
    for name in others:
        found, found_order = files[name], _order(files[name])
        keys, found_keys = _keys(reference, order), _keys(found, found_order)
        if not np.array_equal(keys, found_keys):
            shared = len(set(map(tuple, keys)) & set(map(tuple, found_keys)))
            raise InputError(
                f"{name} has {len(found)} pictures, {first} has {len(reference)}, {shared} are in "
                "both; embed the same dataset and splits with every encoder"
            )
        _require_same_labels(name, found, found_order, first, reference, order)


def _require_same_labels(
    name: str,
    found: Embeddings,
    found_order: np.ndarray,
    first: str,
    reference: Embeddings,
    order: np.ndarray,
) -> None:
    remedy = "embed the same dataset and version with every encoder"
    for column in ("group", "split"):
        if list(found.frame[column][found_order]) != list(reference.frame[column][order]):
            raise InputError(f"{name} and {first} differ in the column {column}; {remedy}")
    if set(found.labels) != set(reference.labels):
        raise InputError(
            f"{name} has the labels {sorted(found.labels)}, {first} has "
            f"{sorted(reference.labels)}; {remedy}"
        )
    for task, labels in found.labels.items():
        expected = reference.labels[task]
        same = labels.classes == expected.classes and np.array_equal(
            labels.values[found_order], expected.values[order], equal_nan=True
        )
        if not same:
            raise InputError(f"{name} and {first} differ in the column label.{task}; {remedy}")
    if set(found.numbers) != set(reference.numbers):
        raise InputError(
            f"{name} has the numbers {sorted(found.numbers)}, {first} has "
            f"{sorted(reference.numbers)}; {remedy}"
        )
    for column, values in found.numbers.items():
        expected = reference.numbers[column]
        if not np.array_equal(values[found_order], expected[order], equal_nan=True):
            raise InputError(f"{name} and {first} differ in the column number.{column}; {remedy}")


def _order(embeddings: Embeddings) -> np.ndarray:
    keys = embeddings.frame[["source", "record_id", "segment"]]
    return keys.sort_values(list(keys.columns)).index.to_numpy()


def _keys(embeddings: Embeddings, order: np.ndarray) -> np.ndarray:
    return embeddings.frame.loc[order, ["source", "record_id", "segment"]].to_numpy(str)
