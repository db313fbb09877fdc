"""Who is in the training and the test part, and that nobody is in both."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Labels


def part_rows(
    frame: pd.DataFrame, splits: Mapping[str, tuple[str, ...]]
) -> dict[str, Bool[np.ndarray, " b"]]:
    """Which rows belong to each part, the parts free of common patients.

    `splits` says which values of the column `split` make up each part.

    Raises:
        InputError: a split that no row has, or a patient in more than one part.
    """
    there = sorted(set(frame["split"]))
    parts: dict[str, Bool[np.ndarray, " b"]] = {}
    owner: dict[str, str] = {}
    for part, names in splits.items():
        absent = [name for name in names if name not in there]
        if absent or not names:
            raise InputError(
                f"config.splits.{part} is {tuple(names)}, but the embeddings have the splits "
                f"{there}; choose among these"
            )
        parts[part] = frame["split"].isin(names).to_numpy()
        patients = set(frame["group"][parts[part]])
        shared = sorted(patients & set(owner))
        if shared:
            raise InputError(
                f"{len(shared)} patients are in both {owner[shared[0]]} and {part} (the first: "
                f"group {shared[0]}); a patient belongs to one part: split the dataset by patient"
            )
        owner |= dict.fromkeys(patients, part)
    return parts


def describe_part(
    frame: pd.DataFrame, truth: Labels, rows: Bool[np.ndarray, " b"]
) -> dict[str, Any]:
    """Counts of one part of a task, as plain values; `rows` have a known truth."""
    part, values = frame[rows], truth.values[rows]
    # A person counts once, with the first record's age and sex.
    people = part.drop_duplicates("group")
    ages = people["age_years"].dropna()
    return {
        "splits": sorted(set(part["split"])),
        "patients": len(people),
        "records": len(part),
        "pictures": int(part["num_pictures"].sum()),
        "age_quartiles": [float(q) for q in np.quantile(ages, [0.25, 0.5, 0.75])]
        if len(ages)
        else None,
        "female": int((people["sex"] == "female").sum()),
        "sex_known": int(people["sex"].isin(["female", "male"]).sum()),
        "positives": {
            label: int(count)
            for label, count in zip(truth.classes, values.sum(axis=0), strict=True)
        },
    }
