"""A recording cut into the pieces that become one picture each."""

import dataclasses

import numpy as np
from jaxtyping import Float32

from ecgmae_jax.records.leads import in_standard_order
from ecgmae_jax.records.recording import Recording


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """A piece of a recording.

    Attributes:
        signal_mv: millivolts, leads in standard order, NaN where missing.
        rate_hz: samples per second.
        start_s: where the piece begins in the recording.
        index: position among the windows of the recording, from 0.
    """

    signal_mv: Float32[np.ndarray, "12 t"]
    rate_hz: float
    start_s: float
    index: int


def window_starts(num_samples: int, *, window: int) -> list[int]:
    """First samples of the windows that cover a recording.

    Windows follow each other without overlap. A tail of at least half a window gives one more
    window that ends with the recording, a shorter tail is left out. A recording shorter than the
    window is one piece.

    Args:
        num_samples: length of the recording, at least 1.
        window: length of a window in samples, at least 1.
    """
    if num_samples < 1 or window < 1:
        raise ValueError(f"{num_samples=} and {window=} must both be at least 1")
    if num_samples <= window:
        return [0]
    starts = list(range(0, num_samples - window + 1, window))
    tail = num_samples - starts[-1] - window
    if 2 * tail >= window:
        starts.append(num_samples - window)
    return starts


def cut_segments(recording: Recording, *, window_s: float = 10.0) -> list[Segment]:
    """The windows of a recording, in time order.

    A window is `window_s` rounded to whole samples, so all windows of a recording are equally
    long; only a recording shorter than that gives a shorter piece. A window in which every sample
    of every lead is missing would be an empty sheet and is left out; the others keep their index.
    """
    signal = in_standard_order(recording.signal_mv, recording.leads)
    window = round(window_s * recording.rate_hz)
    segments = []
    for index, start in enumerate(window_starts(signal.shape[1], window=window)):
        piece = signal[:, start : start + window]
        if not np.isnan(piece).all():
            start_s = start / recording.rate_hz
            segments.append(Segment(piece, recording.rate_hz, start_s, index))
    return segments
