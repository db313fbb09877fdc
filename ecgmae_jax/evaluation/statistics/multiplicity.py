"""Correction for having looked at several comparisons."""

import numpy as np
from jaxtyping import Float, Float64


def holm(p_values: Float[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    They keep the chance of any false rejection in the family at the level they are compared with,
    whatever the dependence. A NaN stays NaN and does not count in the family.
    """
    adjusted = np.full(len(p_values), np.nan)
    defined = np.flatnonzero(np.isfinite(p_values))
    order = defined[np.argsort(p_values[defined], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted
