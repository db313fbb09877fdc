"""How well predictions of a number agree with it."""

import numpy as np
from jaxtyping import Float, Float64, Shaped

from ecgmae_jax.evaluation.statistics.estimates import two_sided_quantile

# The share of differences within the limits of agreement, whatever the confidence of intervals.
_WITHIN_LIMITS = 0.95


def agreement_measures(
    values: Float[np.ndarray, " b"],
    predictions: Float[np.ndarray, " b"],
    weights: Shaped[np.ndarray, "r b"],
) -> dict[str, Float64[np.ndarray, " r"]]:
    """Figures of the predictions under many weightings of the same rows, NaN where undefined.

    `r2` is the share of variance explained (below 0 where the mean predicts better), `mae` the
    mean absolute error in the outcome's unit, `correlation` Pearson's. `bias` is the mean of
    prediction less value; 95 % of these differences lie between `lower_limit` and `upper_limit` if
    they are normal (Bland and Altman 1986). `slope` and `intercept` are of the line of the values
    on the predictions, 1 and 0 where calibration is perfect.

    Args:
        values: observed.
        predictions: of them.
        weights: how often each row counts in each weighting, whole numbers.
    """
    total = weights.sum(axis=1, dtype=np.float64)
    share = weights / total[:, None]
    error = predictions - values
    # About their means, so that large offsets cost no digits.
    value, prediction = values - values.mean(), predictions - predictions.mean()

    def covariance(a: np.ndarray, b: np.ndarray) -> Float64[np.ndarray, " r"]:
        return share @ (a * b) - (share @ a) * (share @ b)

    variance, spread = covariance(value, value), covariance(prediction, prediction)
    together, bias = covariance(value, prediction), share @ error
    with np.errstate(invalid="ignore", divide="ignore"):
        half = two_sided_quantile(_WITHIN_LIMITS) * np.sqrt(
            covariance(error - error.mean(), error - error.mean()) * total / (total - 1)
        )
        slope = together / spread
        mean, predicted = values.mean() + share @ value, predictions.mean() + share @ prediction
        return {
            "r2": 1 - (share @ error**2) / variance,
            "mae": share @ np.abs(error),
            "correlation": together / np.sqrt(variance * spread),
            "bias": bias,
            "lower_limit": bias - half,
            "upper_limit": bias + half,
            "slope": slope,
            "intercept": mean - slope * predicted,
        }
