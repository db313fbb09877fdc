"""From which probability on a class is called, fixed on records that are not scored."""

import re

import numpy as np
from jaxtyping import Float
from sklearn.metrics import precision_recall_curve

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.operating_points import choose_thresholds

HALF = 0.5
_RULE = re.compile(r"F1|Youden|sensitivity (0\.\d+|1)|half")


def check_rule(rule: str) -> None:
    """Raises InputError for a rule that `choose_threshold` does not know."""
    if not _RULE.fullmatch(rule):
        raise InputError(
            f"config.threshold is {rule!r}; choose F1, Youden, half, or a sensitivity such as "
            "'sensitivity 0.9'"
        )


def choose_threshold(
    truth: Float[np.ndarray, " r"], probabilities: Float[np.ndarray, " r"], *, rule: str
) -> float | None:
    """The probability from which a class is called; None where all or none of the records have it.

    Args:
        rule: `F1` for the greatest F-measure, `Youden` for the greatest sum of sensitivity and
            specificity, `sensitivity 0.9` for the highest threshold that reaches it, `half` for
            0.5. The highest of several.
    """
    if rule == "half":
        return HALF
    if not 0 < truth.sum() < len(truth):
        return None
    if rule == "F1":
        return _greatest_f_measure(truth, probabilities)
    aims = () if rule == "Youden" else (float(rule.split()[1]),)
    return next(iter(choose_thresholds(truth, probabilities, sensitivities=aims).values()))


def _greatest_f_measure(
    truth: Float[np.ndarray, " r"], probabilities: Float[np.ndarray, " r"]
) -> float:
    precision, recall, thresholds = precision_recall_curve(truth, probabilities)
    total = precision + recall
    f_measure = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    # The curve ends in a point without a threshold, and its thresholds rise.
    best = np.flatnonzero(f_measure[:-1] == f_measure[:-1].max())[-1]
    return float(thresholds[best])
