"""Age and sex alone: what is known without looking at the ECG."""

import dataclasses

import numpy as np
from jaxtyping import Bool

from ecgmae_jax.evaluation.embeddings import Embeddings

AGE_AND_SEX = "age+sex"
# What a table knows of the run that made the embeddings beside it.
_KEPT = ("dataset", "aggregation", "seed", "code")


def age_and_sex(records: Embeddings, train: Bool[np.ndarray, " b"]) -> Embeddings:
    """The same records with age and sex as their features.

    Four numbers: the age in years, whether it is unknown (the age is then the median of the
    training records), whether the patient is female, whether male. Where nobody's age or sex is
    known the features are constant, and a probe of them is a coin toss.

    Args:
        records: one row per record.
        train: the rows that the median is taken of.
    """
    age = records.frame["age_years"].to_numpy(np.float32)
    sex = records.frame["sex"].to_numpy(str)
    unknown = np.isnan(age)
    known = age[train & ~unknown]
    columns = [
        np.where(unknown, np.median(known) if len(known) else 0.0, age),
        unknown,
        sex == "female",
        sex == "male",
    ]
    facts = {name: value for name, value in records.metadata.items() if name in _KEPT}
    return dataclasses.replace(
        records,
        matrix=np.stack(columns, axis=1).astype(np.float32),
        metadata={**facts, "encoder": AGE_AND_SEX, "pooling": "table", "checkpoint": "none"},
    )
