"""The heart as one moving dipole: waves with a direction, summed over beats.

A wave is a Gaussian in time with a flat top of any length (an ordinary Gaussian where that length
is zero), and it carries one heart vector. Axes as in Frank's leads: x to the patient's left, y to
the feet, z to the back; mV as seen by those leads.

Model: P. E. McSharry et al., "A dynamical model for generating synthetic electrocardiogram
signals", IEEE TBME 50:289 (2003), in the three-dimensional form of R. Sameni et al.,
"Multichannel ECG and noise modeling", EURASIP J. Adv. Signal Process. 2007:43407.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

# Beyond this many standard deviations a Gaussian is under 0.1 µV for a 1 mV wave.
_SUPPORT = 4.3


@dataclasses.dataclass(frozen=True, eq=False)
class Waves:
    """Waves of one beat, in seconds from the onset of its QRS complex."""

    start_s: Float[np.ndarray, "w"]  # first and last moment of the flat top
    stop_s: Float[np.ndarray, "w"]
    rise_s: Float[np.ndarray, "w"]  # standard deviations before and after it
    fall_s: Float[np.ndarray, "w"]
    dipole_mv: Float[np.ndarray, "w 3"]

    def scaled(self, gain: float) -> "Waves":
        """The same waves, `gain` times as large."""
        return dataclasses.replace(self, dipole_mv=self.dipole_mv * gain)


def joined(parts: Sequence[Waves]) -> Waves:
    """All waves of `parts` as one set."""
    return Waves(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Waves)
        }
    )


def wave(
    start_s: float,
    stop_s: float,
    *,
    rise_s: float,
    fall_s: float,
    dipole_mv: Sequence[float] | Float[np.ndarray, "3"],
) -> Waves:
    """One wave, as a set of one."""
    return Waves(
        *(np.array([value], dtype=np.float64) for value in (start_s, stop_s, rise_s, fall_s)),
        dipole_mv=np.array([dipole_mv], dtype=np.float64),
    )


def dipole_signal(
    beats: Iterable[tuple[float, Waves]], *, num_samples: int, rate_hz: float
) -> Float[np.ndarray, "3 t"]:
    """The heart vector over time: every beat's waves, placed at its QRS onset and added up.

    `beats` are pairs of QRS onset in seconds (before 0 or after the end, too, where a wave reaches
    in) and the waves of that beat.
    """
    signal = np.zeros((3, num_samples))
    for onset_s, waves in beats:
        first_s = onset_s + (waves.start_s - _SUPPORT * waves.rise_s).min()
        last_s = onset_s + (waves.stop_s + _SUPPORT * waves.fall_s).max()
        first = max(0, int(first_s * rate_hz))
        last = min(num_samples, int(np.ceil(last_s * rate_hz)))
        if first >= last:
            continue
        time_s = np.arange(first, last) / rate_hz - onset_s
        before = np.maximum(waves.start_s[:, None] - time_s, 0.0) / waves.rise_s[:, None]
        after = np.maximum(time_s - waves.stop_s[:, None], 0.0) / waves.fall_s[:, None]
        signal[:, first:last] += waves.dipole_mv.T @ np.exp(-0.5 * (before + after) ** 2)
    return signal


def rotation(
    *, frontal_deg: float, horizontal_deg: float, sagittal_deg: float
) -> Float[np.ndarray, "3 3"]:
    """A rotation of heart vectors, about z, then y, then x.

    Positive `frontal_deg` turns the electrical axis clockwise as the reader sees it (lead I towards
    aVF); positive `horizontal_deg` turns left forces to the back; positive `sagittal_deg` turns
    downward forces to the back.
    """
    matrix = np.eye(3)
    for degrees, (i, j) in (
        (frontal_deg, (0, 1)),
        (horizontal_deg, (0, 2)),
        (sagittal_deg, (1, 2)),
    ):
        turn = np.eye(3)
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn[i, i] = turn[j, j] = cosine
        turn[j, i], turn[i, j] = sine, -sine
        matrix = turn @ matrix
    return matrix
