"""Intervals from resampled patients: the patient, not the record, is the unit of chance."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, UInt16

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.discrimination import labels_with

# Labels rarer than this make a macro average noisy and are often absent from a resample.
COMMON_POSITIVES = 10
_DRAWS_PER_RESAMPLE = 20
_BLOCK = 256


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure with its interval; the interval is NaN where there is none."""

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, eq=False)
class Resamples:
    """Patients drawn with replacement, as how often each record occurs.

    Attributes:
        weights: occurrences of each record (column) in each resample (row).
        num_draws: how many resamples were drawn to keep these.
        required: the labels that have both classes in every resample kept.
    """

    weights: UInt16[np.ndarray, "r b"]
    num_draws: int
    required: Bool[np.ndarray, " k"]


def patient_resamples(
    groups: np.ndarray, truth: Float[np.ndarray, "b k"], *, num_resamples: int, seed: int
) -> Resamples:
    """Bootstrap resamples of whole patients.

    A resample that lacks a class of a label is drawn again, as in the PTB-XL benchmark (Strodthoff
    et al. 2020). Where that would take more than 20 draws a resample, only labels with at least 10
    positives are required; the others then have no interval. `groups` is each record's patient.

    Raises:
        InputError: even the common labels are missing from most resamples.
    """
    every = labels_with(truth)
    common = labels_with(truth, min_positives=COMMON_POSITIVES)
    for required in (every, common):
        found = _draw(groups, truth[:, required], num_resamples=num_resamples, seed=seed)
        if found is not None:
            return Resamples(weights=found[0], num_draws=found[1], required=required)
    raise InputError(
        f"bootstrap: {_DRAWS_PER_RESAMPLE * num_resamples} draws of "
        f"{len(np.unique(groups))} test patients gave fewer than {num_resamples} resamples with "
        "both classes of every label; use a larger test split or fewer labels"
    )


def _draw(
    groups: np.ndarray, truth: Float[np.ndarray, "b k"], *, num_resamples: int, seed: int
) -> tuple[UInt16[np.ndarray, "r b"], int] | None:
    patients, patient_of_record = np.unique(groups, return_inverse=True)
    num_patients = len(patients)
    positives = np.zeros((num_patients, truth.shape[1]))
    np.add.at(positives, patient_of_record, truth)
    negatives = np.bincount(patient_of_record)[:, None] - positives
    rng = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    num_kept = num_draws = 0
    while num_kept < num_resamples:
        if num_draws >= _DRAWS_PER_RESAMPLE * num_resamples:
            return None
        drawn = rng.integers(num_patients, size=(_BLOCK, num_patients))
        drawn += np.arange(_BLOCK)[:, None] * num_patients
        occurrences = np.bincount(drawn.reshape(-1), minlength=_BLOCK * num_patients)
        occurrences = occurrences.reshape(_BLOCK, num_patients)
        complete = ((occurrences @ positives > 0) & (occurrences @ negatives > 0)).all(axis=1)
        usable = np.flatnonzero(complete)[: num_resamples - num_kept]
        kept.append(occurrences[usable].astype(np.uint16)[:, patient_of_record])
        num_kept += len(usable)
        num_draws += int(usable[-1]) + 1 if num_kept == num_resamples else _BLOCK
    return np.concatenate(kept), num_draws


def percentile_interval(
    value: float, resampled: Float[np.ndarray, " r"], *, confidence: float
) -> Estimate:
    """`value` with the middle `confidence` of its resampled values (Efron's percentile interval).

    No interval where a resample left the figure undefined: the rest would be a biased sample.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Estimate(value=float(value), low=float(low), high=float(high))
