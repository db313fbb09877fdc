"""The reader on openly licensed recordings; skipped where they are not at hand."""

import numpy as np
import pytest
import wfdb

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.resampling import resample
from ecgmae_jax.records.segments import cut_segments
from ecgmae_jax.records.tally import Tally
from ecgmae_jax.records.wfdb_reader import read_recording

# source: recordings, pictures, sampling rate
CHALLENGE_2021 = {
    "chapman_shaoxing": (10, 10, 500.0),
    "cpsc_2018": (10, 15, 500.0),
    "cpsc_2018_extra": (10, 16, 500.0),
    "georgia": (10, 10, 500.0),
    "ningbo": (10, 10, 500.0),
    "ptb": (4, 40, 1000.0),
    "ptb-xl": (10, 10, 500.0),
    "st_petersburg_incart": (1, 180, 257.0),
}


@pytest.mark.parametrize("source", CHALLENGE_2021)
def test_challenge_2021(real_data, source):
    root = real_data / "challenge-2021" / "training"
    tally = Tally()
    for path in sorted((root / source).glob("g*/*.hea")):
        recording = read_recording(path, root=root, source=source)
        segments = cut_segments(recording)
        tally.add_read(len(segments))
        assert recording.rate_hz == CHALLENGE_2021[source][2]
        assert recording.leads == STANDARD_LEADS
        assert bool(recording.diagnoses) == (source != "st_petersburg_incart")
        signal, _ = wfdb.rdsamp(str(path.with_suffix("")))
        np.testing.assert_allclose(recording.signal_mv, signal.T, rtol=1e-6)
    assert (tally.read, tally.pictures) == CHALLENGE_2021[source][:2]


def test_ptb_xl_at_100_and_500_hz_agrees(real_data):
    root = real_data / "ptb-xl"
    paths = sorted((root / "records500").glob("*/*_hr.hea"))[::12]
    assert len(paths) >= 10
    for high in paths:
        low = root / "records100" / high.parent.name / high.name.replace("_hr", "_lr")
        fine = read_recording(high, root=root, source="ptb_xl")
        coarse = read_recording(low, root=root, source="ptb_xl")
        assert (fine.rate_hz, coarse.rate_hz) == (500.0, 100.0)
        resampled = resample(fine.signal_mv, from_hz=fine.rate_hz, to_hz=coarse.rate_hz)
        # The official files were decimated by another filter and differ at the ends.
        assert np.abs(resampled - coarse.signal_mv)[:, 10:-10].mean() < 0.015, high.name


@pytest.mark.parametrize("record", ["40735970", "43199371"])
def test_mimic_iv_ecg_lead_order(real_data, record):
    root = real_data / "mimic-iv-ecg"
    recording = read_recording(root / f"{record}.hea", root=root, source="mimic_iv_ecg")
    assert recording.leads == STANDARD_LEADS
    assert recording.patient_id != record
    lead = dict(zip(recording.leads, recording.signal_mv, strict=True))
    # The device rounds each lead by itself, in steps of 5 µV; errors of a few steps remain.
    for name, derived in {
        "III": lead["II"] - lead["I"],
        "aVF": (lead["II"] + lead["III"]) / 2,
        "aVL": (lead["I"] - lead["III"]) / 2,
    }.items():
        difference = np.abs(lead[name] - derived)
        assert difference.mean() < 0.010 and difference.max() < 0.015, name
