"""Who the simulated patients are, which split each belongs to, and their recordings as WFDB files.

TensorFlow-free, so that worker processes start fast.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from data_builders.examples import Entry
from data_builders.simulated_ecg.conditions import CONDITIONS, findings
from data_builders.simulated_ecg.patients import draw_patient
from data_builders.simulated_ecg.simulator import SOURCE, simulate_recording
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import Recording
from ecgmae_jax.records.wfdb_writer import write_recording

SPLIT_SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
_SECOND_VISIT = 0.3


@dataclasses.dataclass(frozen=True)
class Visit:
    """One recording to be made: visit `number` of one patient."""

    condition: int  # index in CONDITIONS
    patient: int  # index in the whole population, in no order of conditions
    number: int
    seed: int

    @property
    def record_id(self) -> str:
        """Name of the WFDB record."""
        return f"S{self.patient:06d}_{self.number}"

    @property
    def patient_id(self) -> str:
        """Name of the patient."""
        return f"S{self.patient:06d}"


def draw_population(*, patients_per_condition: int, seed: int) -> dict[str, list[Visit]]:
    """All visits by split, in random order; every condition has the same share of each split.

    Three patients of ten come twice; both visits are in one split.

    Raises:
        InputError: for so few patients that a split would be empty.
    """
    bounds = np.rint(np.cumsum([0.0, *SPLIT_SHARES.values()]) * patients_per_condition).astype(int)
    if np.diff(bounds).min() < 1:
        raise InputError(
            f"patients_per_condition={patients_per_condition} leaves a split of simulated_ecg "
            "empty; use at least 6"
        )
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(patients_per_condition * len(CONDITIONS))
    again = rng.random(len(numbers)) < _SECOND_VISIT
    splits = {}
    for split, first, last in zip(SPLIT_SHARES, bounds[:-1], bounds[1:], strict=True):
        visits = [
            Visit(condition, int(numbers[place]), number, seed)
            for condition in range(len(CONDITIONS))
            for place in range(
                condition * patients_per_condition + first,
                condition * patients_per_condition + last,
            )
            for number in range(1 + int(again[place]))
        ]
        splits[split] = [visits[i] for i in rng.permutation(len(visits))]
    return splits


def record(visit: Visit) -> Recording:
    """The recording of a visit; the same visit gives the same one."""
    patient = draw_patient(CONDITIONS[visit.condition], seed=(visit.seed, visit.patient))
    return simulate_recording(
        patient,
        number=visit.number,
        record_id=visit.record_id,
        patient_id=visit.patient_id,
    )


def labels_of(recording: Recording) -> dict[str, Any]:
    """The condition, and all findings among the recording's diagnoses."""
    names = findings(recording.diagnoses)
    return {"labels": {"condition": names[0], "findings": list(names)}}


def examples_by_way_of_files(
    visits: Sequence[Visit], *, make_examples: Callable[[list[Entry]], Any]
) -> Any:
    """`make_examples` of the visits' recordings, written as WFDB files for that time."""
    with tempfile.TemporaryDirectory(prefix="simulated_ecg_") as name:
        folder = pathlib.Path(name)
        return make_examples(
            [
                Entry(
                    header=write_recording(folder, record(visit)),
                    root=folder,
                    source=SOURCE,
                    record_id=visit.record_id,
                    patient_id=visit.patient_id,
                )
                for visit in visits
            ]
        )
