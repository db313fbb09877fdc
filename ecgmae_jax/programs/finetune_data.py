"""The splits that fine-tuning reads: who trains, who chooses the best state, who is tested."""

import dataclasses
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ecgmae_jax.data.pretraining_overlap import check_overlap, dataset_overlap, joined
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.data.splits import check_disjoint
from ecgmae_jax.data.subsets import hold_out, patients_of
from ecgmae_jax.programs import inputs


@dataclasses.dataclass(frozen=True)
class Parts:
    """Training pictures, those that choose the best state, and those that are tested."""

    train: Dataset
    validation: Dataset
    tests: tuple[Dataset, ...]


def open_parts(
    data: Mapping[str, str],
    splits: Mapping[str, Any],
    specification: Mapping[str, Any],
    *,
    seed: int,
) -> Parts:
    """The named splits of a dataset, as pictures that the model can see.

    Args:
        data: name, config and data_dir of the dataset.
        splits: `train`, `validation` and, any number of them, `test`. A validation such as "0.1"
            is that share of the training patients.
        specification: of the model's input.
        seed: of the choice of these patients.

    Raises:
        InputError: a patient in two parts, or pictures of another kind.
    """
    train = open_split(data, splits["train"], specification)
    share = _share(splits["validation"])
    if share is None:
        validation = open_split(data, splits["validation"], specification)
    else:
        train, validation = hold_out(train, share=share, seed=seed, split="validation")
    tests = tuple(open_split(data, split, specification) for split in splits["test"])
    check_disjoint(
        {
            "training": patients_of(train),
            "validation": patients_of(validation),
            "test": [patient for test in tests for patient in patients_of(test)],
        }
    )
    return Parts(train, validation, tests)


def open_split(data: Mapping[str, str], split: str, specification: Mapping[str, Any]) -> Dataset:
    """The split, of pictures that the model can see; InputError for others."""
    dataset = open_dataset(
        name=data["name"], config=data["config"], data_dir=data["data_dir"], split=split
    )
    inputs.check_input(dataset, specification)
    return dataset


def every_split(splits: Mapping[str, Any]) -> str:
    """The named splits as one, each once."""
    validation = () if _share(splits["validation"]) is not None else (splits["validation"],)
    return "+".join(dict.fromkeys((splits["train"], *validation, *splits["test"])))


def check_pretraining(tests: Sequence[Dataset], checkpoint: str, *, allowed: bool) -> str:
    """What every output has to say of test patients who were pre-trained on; empty for nothing.

    Args:
        tests: splits that share no patients.
        checkpoint: the workdir of the pre-training.
        allowed: whether the run goes on all the same.

    Raises:
        InputError: such patients, and `allowed` is false.
    """
    folder = pathlib.Path(checkpoint).expanduser()
    overlaps = [one for test in tests if (one := dataset_overlap(test, folder)) is not None]
    note = check_overlap(joined(overlaps), allowed=allowed, setting="--config.allow_overlap")
    if note:
        print(note, file=sys.stderr)
    return note


def _share(validation: str) -> float | None:
    """The share that the text states; None where it is the name of a split."""
    try:
        return float(validation)
    except ValueError:
        return None
