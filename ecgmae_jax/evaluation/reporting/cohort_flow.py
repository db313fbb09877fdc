"""How many records there were, which were left out, and who is in those that were analysed."""

from typing import Any

import numpy as np

from ecgmae_jax.evaluation.cohort import describe_part
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, VALIDATION, Predictions


def cohort_flow(predictions: Predictions) -> list[dict[str, Any]]:
    """How many records of each part were there, left out for which reason, and analysed.

    Analysed are those with a known truth; in the validation and the test part, those of them that
    the first model has predicted.
    """
    labels = Labels(predictions.classes, False, False, predictions.truth.astype(np.float32))
    unknown = np.isnan(predictions.truth).any(axis=1)
    flow = []
    for part in ("train", VALIDATION, TEST):
        here = (predictions.frame["part"] == part).to_numpy()
        if not here.any():
            continue
        models = () if part == "train" else list(predictions.probabilities)[:1]
        used = predictions.rows(part, *models)
        flow.append(
            {
                "part": part,
                "in_file": int(here.sum()),
                "in_file_patients": int(predictions.frame["group"][here].nunique()),
                "without_label": int((here & unknown).sum()),
                "without_prediction": int((here & ~unknown & ~used).sum()),
                **(describe_part(predictions.frame, labels, used) if used.any() else {}),
                "records": int(used.sum()),
                "sources": sorted(set(predictions.frame["source"][used])),
            }
        )
    return flow
