"""When the heart beats: sinus rhythm with breathing, atrial fibrillation, premature beats."""

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Float

# Beats are made from so long before the recording to so long after it.
_MARGIN_S = 2.0


@dataclasses.dataclass(frozen=True)
class Beat:
    """One activation; a blocked one has a P wave and no QRS complex."""

    onset_s: float  # of the QRS complex (for a blocked beat: where it would have been)
    rr_s: float  # the interval before it
    kind: Literal["conducted", "ectopic", "blocked"] = "conducted"


def sinus_beats(
    rng: np.random.Generator,
    *,
    rate_bpm: float,
    breathing: float,
    breaths_hz: float,
    seconds: float,
) -> list[Beat]:
    """Sinus rhythm whose intervals swing with breathing and with the slow (0.1 Hz) pressure wave.

    Task Force on heart rate variability, Circulation 93:1043 (1996), for the two bands.
    `breathing` is the amplitude of the respiratory swing as a share of the interval (0.01 old, 0.1
    young); the slow wave has half of it.
    """
    mean_s = 60.0 / rate_bpm
    count = int((seconds + 2 * _MARGIN_S) / mean_s * 1.3) + 4
    time_s = np.arange(count) * mean_s
    phases = rng.uniform(0, 2 * np.pi, 2)
    swing = breathing * np.sin(2 * np.pi * breaths_hz * time_s + phases[0])
    swing += 0.5 * breathing * np.sin(2 * np.pi * 0.1 * time_s + phases[1])
    intervals = mean_s * (1.0 + swing + rng.normal(0.0, 0.006, count))
    return _beats(rng, intervals, seconds=seconds)


def fibrillation_beats(
    rng: np.random.Generator, *, rate_bpm: float, irregularity: float, seconds: float
) -> list[Beat]:
    """The ventricles in atrial fibrillation: independent intervals above a refractory floor.

    `irregularity` is the standard deviation of the intervals as a share of their mean.
    """
    mean_s = 60.0 / rate_bpm
    floor_s = max(0.30, 0.5 * mean_s)
    spread = irregularity * mean_s / (mean_s - floor_s)
    count = int((seconds + 2 * _MARGIN_S) / mean_s * 1.6) + 8
    shape = 1.0 / spread**2
    intervals = floor_s + (mean_s - floor_s) * rng.gamma(shape, 1.0 / shape, count)
    return _beats(rng, intervals, seconds=seconds)


def with_premature_beats(
    rng: np.random.Generator,
    beats: list[Beat],
    *,
    count: int,
    coupling: float,
    pr_s: float,
    seconds: float,
) -> list[Beat]:
    """`beats` with ventricular premature ones, each followed by a full compensatory pause.

    The sinus node keeps its time: the next P wave comes when due, finds the ventricles refractory
    and lies buried in the premature beat. No two premature beats follow each other. `coupling` is
    the time from the beat before to the premature one, as a share of the sinus interval.
    """
    free = [
        i for i, beat in enumerate(beats[:-2]) if 0.3 < beat.onset_s < seconds - 2.2 * beat.rr_s
    ]
    chosen: list[int] = []
    for i in rng.permutation(free):
        if len(chosen) < count and all(abs(i - other) > 1 for other in chosen):
            chosen.append(int(i))
    result = list(beats)
    for i in chosen:
        interval = beats[i + 1].onset_s - beats[i].onset_s
        early = min(coupling * interval + rng.normal(0.0, 0.008), interval - pr_s - 0.02)
        result[i + 1] = dataclasses.replace(beats[i + 1], kind="blocked")
        result.append(Beat(beats[i].onset_s + early, rr_s=early, kind="ectopic"))
    return sorted(result, key=lambda beat: beat.onset_s)


def _beats(
    rng: np.random.Generator, intervals: Float[np.ndarray, "b"], *, seconds: float
) -> list[Beat]:
    onsets = np.cumsum(intervals) - _MARGIN_S - rng.uniform(0.0, intervals[0])
    keep = onsets < seconds + _MARGIN_S
    return [Beat(float(t), float(rr)) for t, rr in zip(onsets[keep], intervals[keep], strict=True)]
