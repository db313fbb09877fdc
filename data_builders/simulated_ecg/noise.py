"""What else the electrodes pick up, and the fibrillating atria.

Noise arises at the electrodes (skin, muscle, mains), so leads that share one share its noise.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

_ELECTRODES = 9


@dataclasses.dataclass(frozen=True)
class NoiseLevels:
    """Root mean square of each disturbance at one electrode, in mV."""

    wander_mv: float  # skin potentials and breathing, below 0.5 Hz
    muscle_mv: float  # 15 to 150 Hz
    mains_mv: float  # what the notch filter left over
    mains_hz: float
    breaths_hz: float


def draw_noise_levels(rng: np.random.Generator) -> NoiseLevels:
    """Levels between a calm and a restless patient on a ward."""
    return NoiseLevels(
        wander_mv=float(0.030 * np.exp(rng.normal(0.0, 0.5))),
        muscle_mv=float(0.007 * np.exp(rng.normal(0.0, 0.5))),
        mains_mv=float(0.003 * np.exp(rng.normal(0.0, 0.8))),
        mains_hz=float(rng.choice([50.0, 60.0])),
        breaths_hz=float(rng.uniform(0.18, 0.36)),
    )


def electrode_noise(
    rng: np.random.Generator, levels: NoiseLevels, *, num_samples: int, rate_hz: float
) -> Float[np.ndarray, "9 t"]:
    """Potentials at RA, LA, LL, C1 to C6 that do not come from the heart, in mV."""
    time_s = np.arange(num_samples) / rate_hz
    frequency = np.fft.rfftfreq(num_samples, 1.0 / rate_hz)
    drift = np.where((frequency > 0.04) & (frequency < 0.5), 1.0 / np.maximum(frequency, 0.04), 0)
    # Surface EMG after a machine's 150 Hz filter: flat in between, soft edges.
    muscle = np.exp(-((frequency / 150.0) ** 6)) / (1.0 + (15.0 / np.maximum(frequency, 0.1)) ** 4)
    noise = 0.8 * levels.wander_mv * _shaped(rng, drift, num_samples)
    noise += levels.muscle_mv * _shaped(rng, muscle, num_samples)
    breath = np.sin(2 * np.pi * levels.breaths_hz * time_s + rng.uniform(0, 2 * np.pi))
    noise += 0.8 * levels.wander_mv * rng.normal(0.0, 1.0, (_ELECTRODES, 1)) * breath
    mains = np.sin(2 * np.pi * levels.mains_hz * time_s + rng.uniform(0, 2 * np.pi))
    return noise + levels.mains_mv * rng.normal(0.0, 1.4, (_ELECTRODES, 1)) * mains


def fibrillation_dipole(
    rng: np.random.Generator, *, amplitude_mv: float, num_samples: int, rate_hz: float
) -> Float[np.ndarray, "3 t"]:
    """Heart vector of fibrillating atria: a wandering sawtooth of 4 to 8 Hz, largest in V1, V2.

    M. Stridh and L. Sörnmo, "Spatiotemporal QRST cancellation techniques for analysis of atrial
    fibrillation", IEEE TBME 48:105 (2001): harmonics whose frequency and amplitude are modulated.
    `amplitude_mv` is about the height from trough to peak in V1.
    """
    time_s = np.arange(num_samples) / rate_hz
    slow, turn = rng.uniform(0.15, 0.5, 2), rng.uniform(0, 2 * np.pi, (3, 3))
    phase = 2 * np.pi * rng.uniform(4.5, 7.5) * time_s
    phase += rng.uniform(0.8, 2.0) * np.sin(2 * np.pi * slow[0] * time_s + turn[0, 0])
    phase += rng.uniform(0.3, 0.8) * np.sin(2 * np.pi * 0.9 * time_s + turn[0, 1])
    swell = 1.0 + 0.4 * np.sin(2 * np.pi * slow[1] * time_s + turn[0, 2])
    # Each axis has its own mixture of harmonics: the wave front turns as it wanders.
    direction = np.array([-0.35, 0.36, -0.74]) * np.exp(rng.normal(0.0, 0.12, 3))
    signal = np.zeros((3, num_samples))
    for harmonic, share in ((1, 1.0), (2, 0.45), (3, 0.22)):
        shift = 0.2 * turn[1][:, None]
        signal += share * np.sin(harmonic * (phase[None] + shift)) * direction[:, None]
    return 0.5 * amplitude_mv * swell * signal


def _shaped(
    rng: np.random.Generator, gain: Float[np.ndarray, "f"], num_samples: int
) -> Float[np.ndarray, "9 t"]:
    """Independent Gaussian noise of unit variance with the given amplitude spectrum."""
    used = np.flatnonzero(gain > 1e-4)
    spectrum = np.zeros((_ELECTRODES, gain.size), dtype=np.complex128)
    parts = rng.standard_normal((2, _ELECTRODES, used.size))
    spectrum[:, used] = (parts[0] + 1j * parts[1]) * gain[used]
    power = 4.0 * np.sum(gain[used] ** 2) / num_samples**2
    return np.fft.irfft(spectrum, num_samples) / np.sqrt(power)
