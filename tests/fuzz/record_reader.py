"""The reader of recordings as fuzzed, and as the corpus is read again."""

import answers
import numpy as np

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording


def read(data: bytes) -> str:
    """Reads a header and, after its first NUL, the signal file that it names; says what came."""
    header, _, signals = data.partition(b"\0")
    with answers.files({"r.hea": header, "r.dat": signals, "r.mat": signals}) as folder:
        try:
            found = read_recording(folder / "r.hea", root=folder, source="fuzz")
        except RejectedRecord as rejected:
            return answers.refused(rejected)
    signal = found.signal_mv
    answers.require(set(found.leads) <= set(STANDARD_LEADS), "leads")
    answers.require(len(found.leads) == len(signal), "rows")
    answers.require(50 <= found.rate_hz <= 5000, "rate")
    answers.require(not np.isnan(signal).all() and np.nanmax(np.abs(signal)) <= 1000, "voltage")
    return "read"
