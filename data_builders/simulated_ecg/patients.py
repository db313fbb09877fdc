"""Simulated patients: one heart, one torso, one habit of breathing each."""

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Float

from data_builders.simulated_ecg import heart_vectors
from data_builders.simulated_ecg.conditions import Condition, Injury
from data_builders.simulated_ecg.noise import NoiseLevels, draw_noise_levels
from data_builders.simulated_ecg.torso import DOWER, displaced, lead_matrix
from data_builders.simulated_ecg.vectorcardiogram import dipole_signal, rotation
from ecgmae_jax.records.leads import STANDARD_LEADS

Vector = Float[np.ndarray, "3"]


@dataclasses.dataclass(frozen=True, eq=False)
class Patient:
    """What stays the same between the recordings of one patient; vectors in mV."""

    condition: Condition
    seed: tuple[int, ...]
    age_years: int
    sex: Literal["female", "male"]
    torso: Float[np.ndarray, "8 3"]  # I, II, V1..V6 from the heart vector
    noise: NoiseLevels
    rate_bpm: float
    breathing: float  # respiratory swing of the sinus interval, as a share
    pr_s: float
    p_s: float  # duration of the P wave
    p_gain: float
    qrs_s: float
    qrs: Float[np.ndarray, "m 5"]
    qtc_s: float
    st_mv: Vector
    st_persistence: float
    t_mv: Vector
    ectopic_qrs: Float[np.ndarray, "e 5"]
    ectopic_s: float
    coupling: float
    irregularity: float
    f_wave_mv: float


def draw_patient(condition: Condition, *, seed: tuple[int, ...]) -> Patient:
    """A patient with `condition`; the same seed gives the same one."""
    rng = np.random.default_rng(seed)
    male = bool(rng.random() < 0.5)
    age = int(rng.uniform(*condition.age_years))
    torso = displaced(DOWER, rng, spread=1.0)
    leads = lead_matrix(torso)
    turn = _draw_turn(rng, age_years=age)
    qrs_s = rng.uniform(*condition.qrs_ms) / 1000
    qrs = _draw_qrs(rng, condition.qrs, turn)
    qrs[:, 2:] *= rng.uniform(*condition.sokolow_mv) / sokolow_mv(qrs, leads, duration_s=qrs_s)
    st, t = _draw_recovery(rng, condition, turn, male=male)
    if condition.injury is not None:
        qrs, st, t = _injured(rng, condition.injury, leads, qrs=qrs, st=st, t=t)
    ectopic = heart_vectors.ECTOPIC_QRS[rng.integers(len(heart_vectors.ECTOPIC_QRS))]
    return Patient(
        condition=condition,
        seed=seed,
        age_years=age,
        sex="male" if male else "female",
        torso=torso,
        noise=draw_noise_levels(rng),
        rate_bpm=rng.uniform(*condition.rate_bpm),
        breathing=float(np.clip(0.11 - 0.0012 * age + rng.normal(0, 0.015), 0.008, 0.12)),
        pr_s=rng.uniform(*condition.pr_ms) / 1000,
        p_s=rng.uniform(0.085, 0.115),
        p_gain=float(np.exp(rng.normal(0.0, 0.22))),
        qrs_s=qrs_s,
        qrs=qrs,
        # Women's corrected QT is about 12 ms longer.
        qtc_s=float(np.clip(rng.normal(0.400 if male else 0.412, 0.016), 0.365, 0.450)),
        st_mv=st,
        st_persistence=rng.uniform(0.2, 0.6 if condition.injury is None else 0.9),
        t_mv=t,
        ectopic_qrs=_draw_qrs(rng, ectopic, turn) * [1, 1, *3 * [rng.uniform(0.75, 1.25)]],
        ectopic_s=rng.uniform(0.138, 0.175),
        coupling=rng.uniform(0.54, 0.68),
        irregularity=rng.uniform(0.14, 0.26),
        f_wave_mv=rng.uniform(0.06, 0.20),
    )


def sokolow_mv(
    qrs: Float[np.ndarray, "m 5"], leads: Float[np.ndarray, "12 3"], *, duration_s: float
) -> float:
    """S in V1 plus the larger R of V5 and V6, in mV, of a QRS complex alone."""
    waves = heart_vectors.qrs_waves(qrs, duration_s=duration_s)
    vector = dipole_signal([(0.1, waves)], num_samples=200, rate_hz=500.0)
    v1, v5, v6 = leads[[6, 10, 11]] @ vector
    return float(max(v5.max(), v6.max()) - v1.min())


def _draw_turn(rng: np.random.Generator, *, age_years: int) -> Float[np.ndarray, "3 3"]:
    """How the heart lies: the axis turns to the left (counter-clockwise) with age."""
    return rotation(
        frontal_deg=float(np.clip(rng.normal(0.4 * (50 - age_years), 14), -38, 35)),
        horizontal_deg=float(np.clip(rng.normal(0, 9), -18, 18)),
        sagittal_deg=float(np.clip(rng.normal(0, 7), -14, 14)),
    )


def _draw_qrs(
    rng: np.random.Generator, table: Float[np.ndarray, "m 5"], turn: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "m 5"]:
    """One person's loop: turned, with its own strength, time and sharpness of every moment."""
    qrs = table.copy()
    qrs[:, 0] += rng.normal(0.0, 0.010, len(qrs))
    qrs[:, 1] *= np.exp(rng.normal(0.0, 0.06, len(qrs)))
    strength = np.exp(rng.normal(0.0, 0.13, (len(qrs), 1)))
    qrs[:, 2:] = strength * (qrs[:, 2:] @ turn.T) + rng.normal(0.0, 0.025, (len(qrs), 3))
    return qrs


def _draw_recovery(
    rng: np.random.Generator, condition: Condition, turn: Float[np.ndarray, "3 3"], *, male: bool
) -> tuple[Vector, Vector]:
    """ST and T vectors, between the usual ones and a little more than the condition's own."""
    usual, own = heart_vectors.NORMAL_RECOVERY, condition.recovery
    severity = rng.uniform(0.7, 1.15)
    st = severity * np.array(own.st_mv) + (1 - severity) * np.array(usual.st_mv)
    t = severity * np.array(own.t_mv) + (1 - severity) * np.array(usual.t_mv)
    st += rng.normal(0.0, 0.012, 3)
    if male:
        # Early repolarization: healthy men have up to 0.2 mV in V2 and V3.
        st[2] -= rng.uniform(0.0, 0.05)
    t = t * np.exp(rng.normal(0.0, 0.22)) + rng.normal(0.0, 0.03, 3)
    return turn @ st, turn @ t


def _injured(
    rng: np.random.Generator,
    injury: Injury,
    leads: Float[np.ndarray, "12 3"],
    *,
    qrs: Float[np.ndarray, "m 5"],
    st: Vector,
    t: Vector,
) -> tuple[Float[np.ndarray, "n 5"], Vector, Vector]:
    """QRS table, ST and T vectors of a heart whose muscle dies."""
    direction = np.array(injury.direction) + rng.normal(0.0, 0.05, 3)
    seen = leads[STANDARD_LEADS.index(injury.lead)] @ direction
    current = rng.uniform(*injury.st_mv) / seen * direction
    # Most T waves are tall and melt into the ST segment; a fifth has begun to invert.
    share = rng.uniform(0.3, 1.1) if rng.random() < 0.8 else rng.uniform(-1.2, -0.6)
    # Dead muscle: early forces point away from it, which is a Q wave over it.
    necrosis = -rng.uniform(0.0, 0.55) * direction / np.linalg.norm(direction)
    return np.concatenate([qrs, [[0.24, 0.09, *necrosis]]]), st + current, t + share * current
