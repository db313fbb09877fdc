"""Twelve-lead recordings of simulated patients."""

import dataclasses

import numpy as np
from jaxtyping import Float

from data_builders.simulated_ecg import conditions, heart_vectors, rhythm
from data_builders.simulated_ecg.noise import electrode_noise, fibrillation_dipole
from data_builders.simulated_ecg.patients import Patient
from data_builders.simulated_ecg.rhythm import Beat
from data_builders.simulated_ecg.torso import displaced, lead_matrix, leads_from_electrodes
from data_builders.simulated_ecg.vectorcardiogram import Waves, dipole_signal, joined
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording

SOURCE = "simulated_ecg"


@dataclasses.dataclass(frozen=True, eq=False)
class Session:
    """One visit of a patient: what is recorded, before noise, and what made it."""

    signal_mv: Float[np.ndarray, "12 t"]
    rate_bpm: float  # of the sinus node, or of the ventricles in fibrillation
    beats: list[Beat]


def simulate_session(
    patient: Patient, *, number: int, seconds: float = 10.0, rate_hz: float = 500.0
) -> Session:
    """The leads of visit `number` of `patient` without noise.

    Rate and placing of the electrodes differ between visits.
    """
    rng = np.random.default_rng((*patient.seed, number, 0))
    condition = patient.condition
    rate = float(np.clip(patient.rate_bpm * rng.uniform(0.93, 1.07), *condition.rate_bpm))
    beats = _draw_beats(rng, patient, rate_bpm=rate, seconds=seconds)
    # Breathing turns and lifts the heart: every beat a little larger or smaller.
    phase = rng.uniform(0, 2 * np.pi)
    gains = [
        1 + 0.03 * np.sin(2 * np.pi * patient.noise.breaths_hz * beat.onset_s + phase)
        for beat in beats
    ]
    placed = [
        (beat.onset_s, beat_waves(patient, beat, mean_rr_s=60 / rate).scaled(gain))
        for beat, gain in zip(beats, gains, strict=True)
    ]
    num_samples = round(seconds * rate_hz)
    dipole = dipole_signal(placed, num_samples=num_samples, rate_hz=rate_hz)
    if condition.fibrillating:
        dipole += fibrillation_dipole(
            rng, amplitude_mv=patient.f_wave_mv, num_samples=num_samples, rate_hz=rate_hz
        )
    leads = lead_matrix(displaced(patient.torso, rng, spread=0.3))
    return Session(leads @ dipole, rate, beats)


def simulate_recording(
    patient: Patient,
    *,
    number: int,
    record_id: str,
    patient_id: str,
    seconds: float = 10.0,
    rate_hz: float = 500.0,
) -> Recording:
    """Visit `number` of `patient` as a cart would store it, with noise and diagnoses."""
    session = simulate_session(patient, number=number, seconds=seconds, rate_hz=rate_hz)
    noise = electrode_noise(
        np.random.default_rng((*patient.seed, number, 1)),
        patient.noise,
        num_samples=session.signal_mv.shape[1],
        rate_hz=rate_hz,
    )
    return Recording(
        signal_mv=(session.signal_mv + leads_from_electrodes(noise)).astype(np.float32),
        rate_hz=rate_hz,
        leads=STANDARD_LEADS,
        record_id=record_id,
        patient_id=patient_id,
        source=SOURCE,
        diagnoses=conditions.diagnoses(
            patient.condition, rate_bpm=session.rate_bpm, pr_ms=1000 * patient.pr_s
        ),
        age_years=float(patient.age_years),
        sex=patient.sex,
    )


def beat_waves(patient: Patient, beat: Beat, *, mean_rr_s: float) -> Waves:
    """The waves of one beat; the QT interval follows the cube root of RR (Fridericia 1920)."""
    p = heart_vectors.p_waves(pr_s=patient.pr_s, duration_s=patient.p_s, gain=patient.p_gain)
    if beat.kind == "blocked":
        return p
    # Recovery adapts slowly: mostly to the mean interval, a little to the last one.
    qt_s = patient.qtc_s * (0.8 * mean_rr_s + 0.2 * beat.rr_s) ** (1 / 3)
    if beat.kind == "ectopic":
        return _ectopic_waves(patient, qt_s=qt_s)
    qt_s += max(0.0, patient.qrs_s - 0.1)  # late activation recovers late
    t = heart_vectors.t_wave(patient.t_mv, qt_s=qt_s, qrs_s=patient.qrs_s)
    st = heart_vectors.st_wave(
        patient.st_mv,
        qrs_s=patient.qrs_s,
        t_peak_s=float(t.start_s[0]),
        persistence=patient.st_persistence,
    )
    ventricles = [heart_vectors.qrs_waves(patient.qrs, duration_s=patient.qrs_s), st, t]
    return joined(ventricles if patient.condition.fibrillating else [p, *ventricles])


def _ectopic_waves(patient: Patient, *, qt_s: float) -> Waves:
    qrs = heart_vectors.qrs_waves(patient.ectopic_qrs, duration_s=patient.ectopic_s)
    against = -qrs.dipole_mv.mean(axis=0)
    qt_s += patient.ectopic_s - 0.1
    t = heart_vectors.t_wave(0.75 * against, qt_s=qt_s, qrs_s=patient.ectopic_s)
    st = heart_vectors.st_wave(
        0.22 * against,
        qrs_s=patient.ectopic_s - 0.02,
        t_peak_s=float(t.start_s[0]),
        persistence=0.3,
    )
    return joined([qrs, st, t])


def _draw_beats(
    rng: np.random.Generator, patient: Patient, *, rate_bpm: float, seconds: float
) -> list[Beat]:
    if patient.condition.fibrillating:
        return rhythm.fibrillation_beats(
            rng, rate_bpm=rate_bpm, irregularity=patient.irregularity, seconds=seconds
        )
    beats = rhythm.sinus_beats(
        rng,
        rate_bpm=rate_bpm,
        breathing=patient.breathing,
        breaths_hz=patient.noise.breaths_hz,
        seconds=seconds,
    )
    low, high = patient.condition.premature_beats
    if high == 0:
        return beats
    return rhythm.with_premature_beats(
        rng,
        beats,
        count=int(rng.integers(low, high + 1)),
        coupling=patient.coupling,
        pr_s=patient.pr_s,
        seconds=seconds,
    )
