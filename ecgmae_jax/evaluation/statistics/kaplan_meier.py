"""Who is still without the event, where not everybody was followed until it came."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped


def event_free_share(
    times: Float[np.ndarray, " b"],
    events: Bool[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
    *,
    at: Float[np.ndarray, " m"],
) -> Float64[np.ndarray, "r m"]:
    """The share without the event just after each time, under many weightings of the same rows.

    The product-limit estimate (Kaplan and Meier 1958). NaN at times when nobody is under
    observation any more, unless the event had come to all.

    Args:
        times: of the event, or of the last look.
        events: whether the event came.
        weights: how often each row counts in each weighting.
        at: ascending.
    """
    order = np.argsort(times, kind="stable")
    ordered, weight = times[order], weights[:, order].astype(np.float64)
    steps = np.unique(times[events])
    first, end = (np.searchsorted(ordered, steps, side=side) for side in ("left", "right"))
    happened = _from_start(np.where(events[order], weight, 0.0))
    under_observation = weight.sum(axis=1, keepdims=True) - _from_start(weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        hazard = (happened[:, end] - happened[:, first]) / under_observation[:, first]
    # Where nobody is left the curve stays as it is, until it is cut off below.
    share = np.cumprod(1 - np.nan_to_num(hazard), axis=1)
    share = np.concatenate([np.ones((len(weight), 1)), share], axis=1)
    share = share[:, np.searchsorted(steps, at, side="right")]
    left = under_observation[:, np.searchsorted(ordered, at, side="left")]
    return np.where((left > 0) | (share == 0), share, np.nan)


def number_at_risk(
    times: Float[np.ndarray, " b"], *, at: Float[np.ndarray, " m"]
) -> Int[np.ndarray, " m"]:
    """How many were still under observation and without the event just before each time."""
    return (times[:, None] >= at[None]).sum(axis=0)


def _from_start(weight: Float64[np.ndarray, "r b"]) -> Float64[np.ndarray, "r c"]:
    """Sums of the first 0, 1, ... columns."""
    return np.concatenate([np.zeros((len(weight), 1)), np.cumsum(weight, axis=1)], axis=1)
