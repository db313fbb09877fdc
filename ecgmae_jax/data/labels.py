"""Label sets of a dataset and their encoding as vectors with a third state, "unknown"."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float32

from ecgmae_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """The classes of one task and what an example without any of them means.

    Attributes:
        exclusive: exactly one class holds (or it is unknown); otherwise any number may hold.
        empty_is_missing: an empty list of classes says that nobody looked, not that none holds.
    """

    name: str
    classes: tuple[str, ...]
    exclusive: bool
    empty_is_missing: bool = False
    feature: ClassVar[str] = "labels"

    def read(self, example: Mapping[str, Any]) -> Float32[np.ndarray, " k"]:
        """`encode` of what the example says."""
        return self.encode(example[self.feature][self.name])

    def encode(self, value: int | Sequence[int]) -> Float32[np.ndarray, " k"]:
        """One number per class: 1 it holds, 0 it does not, NaN everywhere when unknown.

        Args:
            value: class index, -1 unknown, for an exclusive set; else the indices that hold.
        """
        present = self._present(value)
        if present is None:
            return np.full(len(self.classes), np.nan, np.float32)
        row = np.zeros(len(self.classes), np.float32)
        row[list(present)] = 1
        return row

    def names(self, value: int | Sequence[int]) -> tuple[str, ...] | None:
        """Names of the classes that hold, None when unknown."""
        present = self._present(value)
        return None if present is None else tuple(self.classes[index] for index in present)

    def as_dict(self) -> dict[str, Any]:
        """The set without its name, as JSON can hold it."""
        return {
            "classes": list(self.classes),
            "exclusive": self.exclusive,
            "empty_is_missing": self.empty_is_missing,
        }

    def _present(self, value: int | Sequence[int]) -> tuple[int, ...] | None:
        present = (value,) if isinstance(value, int) else tuple(value)
        unknown = present == (-1,) if self.exclusive else self.empty_is_missing and not present
        if unknown:
            return None
        if any(not 0 <= index < len(self.classes) for index in present):
            raise InputError(
                f"label set {self.name!r} has classes 0 to {len(self.classes) - 1}, found {value}: "
                "build the dataset again"
            )
        return present


def label_sets(
    features: tfds.features.FeaturesDict, metadata: Mapping[str, Any]
) -> dict[str, LabelSet]:
    """Every task under the feature `labels`: a ClassLabel or a Sequence of them.

    `metadata["unlabelled_means_missing"]` lists the tasks whose empty list means that the record
    was never labelled.
    """
    missing = metadata.get("unlabelled_means_missing", ())
    sets = {}
    for name, feature in features["labels"].items() if "labels" in features else ():
        exclusive = isinstance(feature, tfds.features.ClassLabel)
        classes = feature.names if exclusive else feature.feature.names
        sets[name] = LabelSet(name, tuple(classes), exclusive, name in missing)
    return sets
