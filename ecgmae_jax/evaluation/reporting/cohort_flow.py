"""How many records there were, which were left out, and who is in those that were analysed."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ecgmae_jax.evaluation.cohort import describe_part
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, VALIDATION


def cohort_flow(
    frame: pd.DataFrame,
    labels: Labels,
    *,
    known: Bool[np.ndarray, " b"],
    predicted: Bool[np.ndarray, " b"],
) -> list[dict[str, Any]]:
    """How many records of each part were there, left out for which reason, and analysed.

    Analysed are those with a known truth; in the validation and the test part, those of them that
    were predicted.

    Args:
        frame: one row per record, with its `part`.
        labels: of the records, whose positives are counted.
        known: whose truth is known.
        predicted: by the first model.
    """
    flow = []
    for part in ("train", VALIDATION, TEST):
        here = (frame["part"] == part).to_numpy()
        if not here.any():
            continue
        used = here & known & (predicted | (part == "train"))
        flow.append(
            {
                "part": part,
                "in_file": int(here.sum()),
                "in_file_patients": int(frame["group"][here].nunique()),
                "without_label": int((here & ~known).sum()),
                "without_prediction": int((here & known & ~used).sum()),
                **(describe_part(frame, labels, used) if used.any() else {}),
                "records": int(used.sum()),
                "sources": sorted(set(frame["source"][used])),
            }
        )
    return flow
