"""Parts of a dataset by patient: folds, or a share held out. No patient is in two of them."""

import dataclasses

import numpy as np
from jaxtyping import Int

from ecgmae_jax.data.source import Dataset, Example, ExampleSource
from ecgmae_jax.data.splits import assign_by_patient, deal_by_stratum, quarters, rarest_classes
from ecgmae_jax.data.targets import NumberTarget, target_of
from ecgmae_jax.errors import InputError


class _Chosen(ExampleSource):
    """Some examples of a source, in the order of `rows`."""

    def __init__(self, source: ExampleSource, rows: Int[np.ndarray, " n"]):
        self._source = source
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        return self._source[int(self._rows[index])]

    def only(self, *names: str) -> ExampleSource:
        return _Chosen(self._source.only(*names), self._rows)


def subset(dataset: Dataset, rows: Int[np.ndarray, " n"], *, split: str) -> Dataset:
    """The examples at those positions, as a split of that name."""
    return dataclasses.replace(dataset, split=split, source=_Chosen(dataset.source, rows))


def patients_of(dataset: Dataset) -> np.ndarray:
    """The hash of the patient of each example."""
    source = dataset.source.only("group")
    return np.array([source[i]["group"] for i in range(len(source))], dtype=str)


def hold_out(dataset: Dataset, *, share: float, seed: int, split: str) -> tuple[Dataset, Dataset]:
    """The dataset without, and as a split of that name with, a share of the patients.

    Who is held out follows from the patient's hash and the seed alone (`assign_by_patient`).

    Raises:
        InputError: a share outside of (0, 1), or that leaves a part empty.
    """
    if not 0 < share < 1:
        raise InputError(
            f"the share of patients to hold out is {share:g}; give more than 0 and less than 1"
        )
    parts = assign_by_patient(
        patients_of(dataset), shares={"kept": 1 - share, "held": share}, seed=seed
    )
    kept, held = (np.flatnonzero(parts == part) for part in ("kept", "held"))
    if not len(kept) or not len(held):
        raise InputError(
            f"{share:g} of the patients of {dataset.name}/{dataset.config} {dataset.split} leaves "
            f"{len(kept)} examples and {len(held)} held out; choose another share or seed"
        )
    return subset(dataset, kept, split=dataset.split), subset(dataset, held, split=split)


def deal_folds(dataset: Dataset, *, task: str, num_folds: int, seed: int) -> np.ndarray:
    """The name of the fold of each example: `fold1`, `fold2`, ..., the same for one patient's.

    Folds have equally many patients, and equally many of those whose rarest class of the task is
    this one or that; of an outcome that is a value, of each quarter.

    Raises:
        InputError: fewer patients than folds.
    """
    target = target_of(dataset, task)
    source = dataset.source.only("group", target.feature)
    examples = [source[i] for i in range(len(source))]
    patients = [example["group"] for example in examples]
    if isinstance(target, NumberTarget):
        strata = quarters(patients, [float(target.read(example)[0]) for example in examples])
    else:
        strata = rarest_classes(
            patients, [target.names(example["labels"][task]) or () for example in examples]
        )
    shares = {f"fold{number}": 1 / num_folds for number in range(1, num_folds + 1)}
    dealt = deal_by_stratum(list(strata), list(strata.values()), shares=shares, seed=seed)
    fold = dict(zip(strata, dealt, strict=True))
    return np.array([fold[patient] for patient in patients])
