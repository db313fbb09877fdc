"""What a model may be asked for: the classes of a label set, or an outcome that is a value."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class NumberTarget:
    """An outcome that is a value, or the age; it stands where a `LabelSet` may.

    Attributes:
        feature: of the examples, which holds it.
    """

    name: str
    feature: str

    def read(self, example: Mapping[str, Any]) -> Float32[np.ndarray, " 1"]:
        """The example's value, NaN when unknown."""
        found = example[self.feature]
        value = found if self.feature == self.name else found[self.name]["value"]
        return np.array([value], np.float32)


def target_of(dataset: Dataset, name: str) -> LabelSet | NumberTarget:
    """The named label set; where there is none, the outcome of that name that is a value.

    The age, `age_years`, is one of every dataset.

    Raises:
        InputError: neither.
    """
    if name == "age_years" and name not in dataset.label_sets:
        return NumberTarget(name, feature=name)
    if name not in dataset.label_sets and "value" in _targets(dataset).get(name, {}):
        return NumberTarget(name, feature="targets")
    return dataset.label_set(name)


def _targets(dataset: Dataset) -> Mapping[str, Mapping[str, float]]:
    try:
        return dataset.source.only("targets")[0]["targets"]
    except InputError:
        return {}
