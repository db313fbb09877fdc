"""Recordings written as WFDB files that `read_recording` and every other WFDB tool read back."""

import math
import os
import pathlib
import re

import numpy as np
import wfdb

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
    num_leads = len(recording.leads)
    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        recording.record_id,
        fs=recording.rate_hz,
        units=["mV"] * num_leads,
        sig_name=list(recording.leads),
        d_signal=digital.T.astype(np.int64),
        fmt=["16"] * num_leads,
        adc_gain=[_GAIN_PER_MV] * num_leads,
        baseline=[0] * num_leads,
        comments=_comments(recording),
        write_dir=str(folder),
    )
    return folder / f"{recording.record_id}.hea"


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
