"""What a recording is once it has passed every check, and what is raised when it has not."""

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Float32

Sex = Literal["female", "male", "unknown"]


@dataclasses.dataclass(frozen=True, eq=False)
class Recording:
    """One ECG of one patient, calibrated and with named leads.

    Attributes:
        signal_mv: millivolts, NaN where a sample is missing.
        rate_hz: samples per second.
        leads: standard names in standard order, one for each row of `signal_mv`.
        record_id: name of the record within its source.
        patient_id: groups the recordings of one person; the record's own name when unknown.
        source: the data set it comes from.
        diagnoses: SNOMED CT codes, each once, in the order of the header.
        age_years: NaN when unknown.
        sex: as recorded in the header.
    """

    signal_mv: Float32[np.ndarray, "l t"]
    rate_hz: float
    leads: tuple[str, ...]
    record_id: str
    patient_id: str
    source: str
    diagnoses: tuple[str, ...]
    age_years: float
    sex: Sex

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.signal_mv.shape[1] / self.rate_hz


class RejectedRecord(Exception):
    """A record that must not be used, with the reason.

    Attributes:
        record: name of the record.
        code: class of the reason in kebab-case; records are counted by it.
        detail: one line: what was found and what was expected.
    """

    def __init__(self, record: str, code: str, detail: str):
        # All three go to `args`, so that the exception survives the way between processes.
        super().__init__(record, code, detail)
        self.record = record
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.record}: {self.code}: {self.detail}"
