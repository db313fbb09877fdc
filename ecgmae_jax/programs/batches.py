"""Functions of pictures, applied to a few at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np


def in_batches(function: Callable[..., Any], *arrays: np.ndarray, batch_size: int) -> np.ndarray:
    """`function` of so many rows of the arrays at a time, the rows of all answers together."""
    starts = range(0, len(arrays[0]), batch_size)
    return np.concatenate(
        [np.asarray(function(*(one[i : i + batch_size] for one in arrays))) for i in starts]
    )
