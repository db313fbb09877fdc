"""Thresholds chosen on one part of the records and judged on another."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.metrics import roc_curve

from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.proportions import Counts, predictive_values, wilson


def choose_thresholds(
    truth: Float[np.ndarray, " b"],
    probabilities: Float[np.ndarray, " b"],
    *,
    sensitivities: Sequence[float],
) -> dict[str, float]:
    """A threshold for each aim; a record is called positive at or above it.

    For a sensitivity it is the highest one that reaches it. Youden's is the one with the greatest
    sum of sensitivity and specificity, the highest of several. Empty without both classes.
    """
    if not 0 < truth.sum() < len(truth):
        return {}
    cases = np.sort(probabilities[truth > 0])[::-1]
    chosen = {
        # The small number undoes a product such as 0.95 * 20 = 19.000000000000004.
        f"sensitivity {target:g}": float(cases[max(math.ceil(target * len(cases) - 1e-9), 1) - 1])
        for target in sensitivities
    }
    false_rate, true_rate, thresholds = roc_curve(truth, probabilities)
    # The first threshold is infinite: nobody called.
    best = 1 + int(np.argmax((true_rate - false_rate)[1:]))
    return {**chosen, "Youden": float(thresholds[best])}


def count_calls(
    truth: Float[np.ndarray, " b"], probabilities: Float[np.ndarray, " b"], *, threshold: float
) -> Counts:
    """How many records of each truth are called positive and negative."""
    called, positive = probabilities >= threshold, truth > 0
    return Counts(
        true_positive=int((called & positive).sum()),
        false_positive=int((called & ~positive).sum()),
        true_negative=int((~called & ~positive).sum()),
        false_negative=int((~called & positive).sum()),
    )


def describe_calls(
    counts: Counts, *, prevalences: Sequence[float], confidence: float
) -> dict[str, Any]:
    """Counts, rates with Wilson intervals and predictive values, as plain values for JSON.

    `ppv` and `npv` are those among these records; `at_prevalence` has them at each stated
    prevalence.
    """
    tp, fp = counts.true_positive, counts.false_positive
    tn, fn = counts.true_negative, counts.false_negative
    rates = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
    }
    stated = []
    for prevalence in prevalences:
        ppv, npv = predictive_values(counts, prevalence=prevalence, confidence=confidence)
        stated.append({"prevalence": prevalence, "ppv": plain(ppv), "npv": plain(npv)})
    return {
        **dataclasses.asdict(counts),
        **{
            name: plain(wilson(part, whole, confidence=confidence)) | {"of": whole}
            for name, (part, whole) in rates.items()
        },
        "at_prevalence": stated,
    }
