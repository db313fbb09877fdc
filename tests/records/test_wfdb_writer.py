import dataclasses
import math
import tempfile

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording
from ecgmae_jax.records.wfdb_reader import read_recording
from ecgmae_jax.records.wfdb_writer import write_recording

HALF_LSB_MV = 0.0005


def make_recording(signal: np.ndarray, **changes) -> Recording:
    recording = Recording(
        signal,
        500.0,
        STANDARD_LEADS,
        "s-0_1",
        "p 1",
        "here",
        ("426783006", "164889003"),
        63.5,
        "male",
    )
    return dataclasses.replace(recording, **changes)


def noise(seed: int = 0, *, num_samples: int = 1000) -> np.ndarray:
    signal = np.random.default_rng(seed).normal(size=(12, num_samples)).astype(np.float32)
    for row, weights in enumerate([(-1, 1), (-0.5, -0.5), (1, -0.5), (-0.5, 1)], start=2):
        signal[row] = np.float32(weights) @ signal[:2]
    return signal


# Half a step off the grid, where rounding errs most.
steps = st.integers(-(2**15) + 2, 2**15 - 2)
voltages = st.one_of(st.just(math.nan), steps.map(lambda step: (step + 0.49) / 1000))


@settings(deadline=None, max_examples=25)
@given(
    glitches=hnp.arrays(np.float32, (12, 8), elements=voltages),
    rate_hz=st.sampled_from([100.0, 257.0, 257.5, 500.0, 1000.0]),
    age=st.one_of(st.just(math.nan), st.integers(0, 120).map(float)),
    sex=st.sampled_from(["female", "male", "unknown"]),
    codes=st.lists(st.integers(10**6, 10**12).map(str), unique=True, max_size=4).map(tuple),
)
def test_what_is_written_is_read_back_to_half_a_step(glitches, rate_hz, age, sex, codes):
    signal = noise()
    signal[:, 300:308] = glitches
    written = make_recording(signal, rate_hz=rate_hz, age_years=age, sex=sex, diagnoses=codes)
    with tempfile.TemporaryDirectory() as folder:
        path = write_recording(folder, written)
        read = read_recording(path, root=folder, source="here")
    np.testing.assert_array_equal(np.isnan(read.signal_mv), np.isnan(signal))
    np.testing.assert_allclose(read.signal_mv, signal, rtol=0, atol=HALF_LSB_MV + 4e-6)
    for field in dataclasses.fields(Recording):
        if field.name not in ("signal_mv", "age_years"):
            assert getattr(read, field.name) == getattr(written, field.name)
    np.testing.assert_equal(read.age_years, age)


def test_wfdb_itself_reads_the_same(tmp_path):
    signal = noise()
    signal[2, 5:9] = np.nan
    path = write_recording(tmp_path / "new" / "folder", make_recording(signal))
    record = wfdb.rdrecord(str(path.with_suffix("")))
    np.testing.assert_allclose(record.p_signal.T, signal, rtol=0, atol=HALF_LSB_MV + 1e-6)
    assert record.comments == [
        "Age: 63.5",
        "Sex: Male",
        "Dx: 426783006,164889003",
        "<subject_id>: p 1",
    ]


def test_few_leads_are_written_as_they_are(tmp_path):
    recording = make_recording(noise()[:2], leads=("II", "V5"))
    path = write_recording(tmp_path, recording)
    assert read_recording(path, root=tmp_path, source="here").leads == ("II", "V5")


@pytest.mark.parametrize("name", ["", "../x", "a b", "a.b", "ä"])
def test_names_that_wfdb_cannot_hold_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="expected letters, digits, - and _"):
        write_recording(tmp_path, make_recording(noise(), record_id=name))


@pytest.mark.parametrize("voltage", [32.768, -32.768, math.inf])
def test_voltages_beyond_16_bits_are_refused(tmp_path, voltage):
    signal = noise()
    signal[3, 7] = voltage
    with pytest.raises(ValueError, match=r"mV, expected within 32\.767 mV"):
        write_recording(tmp_path / "none", make_recording(signal))
    assert not (tmp_path / "none").exists()
