"""How well scores order the cases before the rest.

A label without both classes among the rows has no AUROC: it is NaN, left out of every mean, and
the number of labels that entered is part of the answer.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped
from sklearn import metrics

_VALUES_PER_BLOCK = 2**22


def auroc(truth: Float[np.ndarray, " b"], scores: Float[np.ndarray, " b"]) -> float:
    """Area under the receiver operating characteristic; NaN where a class is absent."""
    return float(metrics.roc_auc_score(truth, scores)) if 0 < truth.sum() < len(truth) else np.nan


def auprc(truth: Float[np.ndarray, " b"], scores: Float[np.ndarray, " b"]) -> float:
    """Average precision, the step-wise area under precision and recall; NaN as for `auroc`."""
    if not 0 < truth.sum() < len(truth):
        return np.nan
    return float(metrics.average_precision_score(truth, scores))


def labels_with(
    truth: Float[np.ndarray, "b k"], *, min_positives: int = 1
) -> Bool[np.ndarray, " k"]:
    """Which labels have an AUROC and at least so many positives."""
    positives = truth.sum(axis=0)
    return (positives >= max(min_positives, 1)) & (positives < len(truth))


def weighted_auroc(
    truth: Float[np.ndarray, " b"],
    scores: Float[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> Float64[np.ndarray, " r"]:
    """AUROC under many weightings of the same rows, ties counted one half.

    The Mann-Whitney statistic from one sort: the weight of negatives ranked below each positive.
    """
    order = np.argsort(scores, kind="stable")
    is_positive = truth[order] > 0
    first, last = _ties(scores[order])
    result = np.empty(len(weights))
    for part in _blocks(weights):
        weight = weights[part][:, order].astype(np.float64)
        positive = weight[:, is_positive]
        below = np.zeros((len(weight), len(order) + 1))
        np.cumsum(np.where(is_positive, 0.0, weight), axis=1, out=below[:, 1:])
        rank = 0.5 * (below[:, first[is_positive]] + below[:, last[is_positive] + 1])
        with np.errstate(invalid="ignore", divide="ignore"):
            result[part] = (positive * rank).sum(axis=1) / (positive.sum(axis=1) * below[:, -1])
    return result


def weighted_auprc(
    truth: Float[np.ndarray, " b"],
    scores: Float[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> Float64[np.ndarray, " r"]:
    """Average precision under many weightings of the same rows.

    Each positive counts the precision at its own score, ties included in full, which is the sum of
    precision times gain in recall over the distinct scores.
    """
    order = np.argsort(-scores, kind="stable")
    is_positive = truth[order] > 0
    last = _ties(scores[order])[1][is_positive]
    result = np.empty(len(weights))
    for part in _blocks(weights):
        weight = weights[part][:, order].astype(np.float64)
        positive = np.where(is_positive, weight, 0.0)
        found = np.cumsum(positive, axis=1)[:, last]
        called = np.cumsum(weight, axis=1)[:, last]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(called > 0, found / called, 0.0)
            gained = (positive[:, is_positive] * precision).sum(axis=1)
            result[part] = gained / positive.sum(axis=1)
    return result


def _ties(ordered: Float[np.ndarray, " b"]) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last position that shares each score."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(starts, len(ordered)))
    first = np.repeat(starts, lengths)
    return first, first + np.repeat(lengths, lengths) - 1


def _blocks(weights: Shaped[np.ndarray, "r b"]) -> list[slice]:
    rows = max(1, _VALUES_PER_BLOCK // weights.shape[1])
    return [slice(i, i + rows) for i in range(0, len(weights), rows)]
