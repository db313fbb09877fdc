"""How well predicted risks order the times at which an event came."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

_ROWS_PER_BLOCK = 1024


def concordance(
    times: Float[np.ndarray, " b"],
    events: Bool[np.ndarray, " b"],
    risk: Float[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> Float64[np.ndarray, " r"]:
    """Harrell's C-index under many weightings of the same rows; NaN without a comparable pair.

    Of the pairs in which one record had its event while the other was still without, the share in
    which the first had the higher risk; equal risks count one half (Harrell et al. 1982).
    """
    weight = weights.astype(np.float64)
    right, pairs = np.zeros(len(weight)), np.zeros(len(weight))
    for first in range(0, len(times), _ROWS_PER_BLOCK):
        block = slice(first, first + _ROWS_PER_BLOCK)
        later = times[None] > times[block, None]
        later |= (times[None] == times[block, None]) & ~events[None]
        later &= events[block, None]
        higher = (risk[block, None] > risk[None]) + 0.5 * (risk[block, None] == risk[None])
        right += np.einsum("rb,rb->r", weight[:, block], weight @ (later * higher).T)
        pairs += np.einsum("rb,rb->r", weight[:, block], weight @ later.T.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return right / pairs
