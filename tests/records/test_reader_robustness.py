"""Damaged records give a recording or a rejection, nothing else."""

import pathlib
import tempfile

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording, RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording
from ecgmae_jax.records.wfdb_writer import write_recording

SIGNAL = np.random.default_rng(0).normal(size=(12, 100)).astype(np.float32)
RECORDING = Recording(SIGNAL, 100.0, STANDARD_LEADS, "r", "r", "here", ("426783006",), 63.0, "male")

TOKENS = [
    *(
        "",
        " ",
        "\n",
        "\t",
        "\x00",
        "#",
        "/",
        "(",
        ")",
        ":",
        "+",
        "x",
        "-",
        ".",
        "~",
        "::",
        "://",
        "\x85",
    ),
    *(
        "0",
        "1",
        "-1",
        "12",
        "16",
        "212",
        "310",
        "500",
        "5000",
        "9" * 30,
        "1e9",
        "nan",
        "inf",
        "1_0",
    ),
    *(
        "r.dat",
        "r.hea",
        "../r.dat",
        "mV",
        "uV",
        "II",
        "aVR",
        "é",
        "\ud7ff",
        "٣",
        "16+24",
        "16x3",
        "8",
    ),
]
edits = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 12), st.sampled_from(TOKENS)), max_size=4
)


def outcome(header: bytes, data: bytes) -> Recording | RejectedRecord:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "r.hea").write_bytes(header)
        (folder / "r.dat").write_bytes(data)
        try:
            return read_recording(folder / "r.hea", root=folder, source="here")
        except RejectedRecord as rejected:
            assert rejected.record == "r"
            assert rejected.detail.isprintable()
            return rejected


def sound_files() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_recording(folder, RECORDING)
        return path.read_bytes(), path.with_suffix(".dat").read_bytes()


HEADER, DATA = sound_files()


@settings(deadline=None, max_examples=150)
@given(edits=edits)
def test_edited_headers(edits):
    text = HEADER.decode()
    for position, length, token in edits:
        text = text[:position] + token + text[position + length :]
    result = outcome(text.encode(), DATA)
    if isinstance(result, Recording):
        assert np.nanmax(np.abs(result.signal_mv)) <= 1000
        assert not np.isnan(result.signal_mv).all()
        assert set(result.leads) <= set(STANDARD_LEADS)


@settings(deadline=None, max_examples=100)
@given(header=st.binary(max_size=300))
def test_headers_of_any_bytes(header):
    assert isinstance(outcome(header, DATA), RejectedRecord)


@settings(deadline=None, max_examples=100)
@given(position=st.integers(0, len(DATA) - 1), change=st.integers(1, 255))
def test_any_changed_byte_of_the_samples_is_noticed(position, change):
    data = bytearray(DATA)
    data[position] ^= change
    result = outcome(HEADER, bytes(data))
    assert isinstance(result, RejectedRecord)
    assert result.code == "bad-checksum"


@settings(deadline=None, max_examples=50)
@given(length=st.integers(0, len(DATA) - 1))
def test_any_cut_of_the_samples_is_noticed(length):
    result = outcome(HEADER, DATA[:length])
    assert isinstance(result, RejectedRecord)
    assert result.code == "truncated"
