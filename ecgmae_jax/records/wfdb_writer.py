"""Recordings written as WFDB files that `read_recording` and every other WFDB tool read back."""

import math
import os
import pathlib
import re

import numpy as np
from jaxtyping import Int16

from ecgmae_jax.records.recording import Recording

_GAIN_PER_MV = 1000.0
_MISSING = -(2**15)
_LARGEST = 2**15 - 1
_RECORD_NAME = re.compile(r"[-\w]+", re.ASCII)


def write_recording(folder: str | os.PathLike[str], recording: Recording) -> pathlib.Path:
    """Writes `<record_id>.hea` and `.dat` and returns the path of the header.

    16-bit samples of one microvolt with checksums. Age, sex, diagnoses and, where it is not the
    record itself, the patient are comments of the header; the source is not written.

    Args:
        folder: made if it is not there.
        recording: within ±32.767 mV; its name of letters, digits, `-` and `_`.

    Raises:
        ValueError: for a name or voltage that the format cannot hold.
    """
    folder = pathlib.Path(folder)
    if not _RECORD_NAME.fullmatch(recording.record_id):
        raise ValueError(f"record {recording.record_id!r}: expected letters, digits, - and _")
    digital = np.round(recording.signal_mv.astype(np.float64) * _GAIN_PER_MV)
    if (np.abs(digital) > _LARGEST).any():
        peak = np.nanmax(np.abs(recording.signal_mv))
        raise ValueError(f"record {recording.record_id}: {peak:g} mV, expected within 32.767 mV")
    digital[np.isnan(digital)] = _MISSING
    digital = digital.astype("<i2")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{recording.record_id}.dat").write_bytes(digital.T.tobytes())
    path = folder / f"{recording.record_id}.hea"
    path.write_text(_header(recording, digital))
    return path


def _header(recording: Recording, digital: Int16[np.ndarray, "l t"]) -> str:
    """The header's text, as WFDB's header(5) has it; `wfdb.wrsamp` takes 60 ms for the same."""
    num_leads, num_samples = digital.shape
    name = recording.record_id
    lines = [f"{name} {num_leads} {recording.rate_hz:g} {num_samples}"]
    for lead, samples in zip(recording.leads, digital, strict=True):
        checksum = int(samples.sum(dtype=np.int64)) % 2**16
        lines.append(f"{name}.dat 16 {_GAIN_PER_MV:g}(0)/mV 16 0 {samples[0]} {checksum} 0 {lead}")
    lines += [f"# {comment}" for comment in _comments(recording)]
    return "\n".join(lines) + "\n"


def _comments(recording: Recording) -> list[str]:
    age = recording.age_years
    comments = [
        f"Age: {'Unknown' if math.isnan(age) else f'{age:g}'}",
        f"Sex: {recording.sex.capitalize()}",
        f"Dx: {','.join(recording.diagnoses) or 'Unknown'}",
    ]
    if recording.patient_id != recording.record_id:
        comments.append(f"<subject_id>: {recording.patient_id}")
    return comments
