"""Change of the sampling rate, with gaps kept."""

import fractions

import numpy as np
import scipy.signal
from jaxtyping import Float

# 257 -> 500 Hz and every other pair of whole rates up to 1000 Hz are exact.
_LARGEST_FACTOR = 1000


def resample(
    signal_mv: Float[np.ndarray, "l t"], *, from_hz: float, to_hz: float
) -> Float[np.ndarray, "l u"]:
    """The signal at another sampling rate: polyphase, low-pass filtered against aliasing.

    Sample 0 keeps its time. A straight line comes out as that line up to both ends. Missing samples
    (NaN) are bridged for the filter and missing again afterwards: a new sample is missing where a
    missing one lies within half a sampling interval, old or new, whichever is longer.

    Raises:
        ValueError: if a rate is not positive, or their ratio is beyond 1:1000.
    """
    if not (from_hz > 0 and from_hz / _LARGEST_FACTOR <= to_hz <= from_hz * _LARGEST_FACTOR):
        raise ValueError(f"cannot resample from {from_hz:g} to {to_hz:g} Hz")
    ratio = _ratio(from_hz, to_hz)
    if ratio == 1:
        return signal_mv.copy()
    missing = np.isnan(signal_mv)
    bridged = np.stack([_bridged(row, gap) for row, gap in zip(signal_mv, missing, strict=True)])
    # Without the line through its ends a signal begins and ends at zero, so that zeros continue it.
    # The branches of the filter differ in gain by some 0.1 %, which an offset would turn to ripple.
    num_old = bridged.shape[1]
    slope = (bridged[:, -1:] - bridged[:, :1]) / max(num_old - 1, 1)
    residual = bridged - (bridged[:, :1] + slope * np.arange(num_old))
    resampled = scipy.signal.resample_poly(residual, ratio.numerator, ratio.denominator, axis=1)
    num_new = resampled.shape[1]
    resampled += bridged[:, :1] + slope * (np.arange(num_new) / float(ratio))
    resampled[_missing_after(missing, ratio, num_new)] = np.nan
    return resampled.astype(signal_mv.dtype)


def _ratio(from_hz: float, to_hz: float) -> fractions.Fraction:
    ratio = fractions.Fraction(to_hz) / fractions.Fraction(from_hz)
    if ratio < 1:
        return 1 / (1 / ratio).limit_denominator(_LARGEST_FACTOR)
    return ratio.limit_denominator(_LARGEST_FACTOR)


def _bridged(row: Float[np.ndarray, " t"], gap: np.ndarray) -> Float[np.ndarray, " t"]:
    row = row.astype(np.float64)
    if gap.all():
        return np.zeros_like(row)
    if gap.any():
        (present,) = np.nonzero(~gap)
        row[gap] = np.interp(np.nonzero(gap)[0], present, row[present])
    return row


def _missing_after(missing: np.ndarray, ratio: fractions.Fraction, num_samples: int) -> np.ndarray:
    """Which new samples lie within half an interval of a missing old one, by whole numbers."""
    up, down = ratio.numerator, ratio.denominator
    # In units of 1/(2 up) of an old interval every centre and half-width is a whole number.
    centre = 2 * down * np.arange(num_samples)
    half_width = max(up, down)
    first = -((half_width - centre) // (2 * up))
    last = (centre + half_width) // (2 * up)
    # New samples after the last old one belong to that.
    num_old = missing.shape[1]
    first, last = np.clip(first, 0, num_old - 1), np.clip(last, 0, num_old - 1)
    total = np.pad(np.cumsum(missing, axis=1), ((0, 0), (1, 0)))
    return total[:, last + 1] > total[:, first]
