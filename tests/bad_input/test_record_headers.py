"""What is known to be wrong with WFDB headers in the wild: refused with a code, or read right."""

import dataclasses

import numpy as np
import pytest

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording


def gain(text):
    return {"line": f"r.dat 16 {text} 16 0 {{first}} {{checksum}} 0 {{lead}}"}


def layout(text):
    return {"line": f"r.dat {text} 1000/mV 16 0 {{first}} {{checksum}} 0 {{lead}}"}


def signal_file(name):
    return {"line": f"{name} 16 1000/mV 16 0 {{first}} {{checksum}} 0 {{lead}}"}


def record_line(text):
    return {"record_line": text}


def header(content):
    return {"edit": lambda _: content}


REFUSED = {
    "13 signals promised, 12 described": (record_line("r 13 500 1000"), "bad-header"),
    "10 signals promised, 12 described": (record_line("r 10 500 1000"), "bad-header"),
    "a million signals": (record_line("r 1000000 500 1000"), "implausible-signal-count"),
    "minus one signal": (record_line("r -1 500 1000"), "bad-header"),
    "no signal": (header(b"r 0 500 1000\n"), "implausible-signal-count"),
    "empty": (header(b""), "bad-header"),
    "random bytes": (header(bytes(range(256)) * 4), "bad-header"),
    "of another record": (record_line("s 12 500 1000"), "bad-header"),
    "blank in the record's name": (record_line("r s 12 500 1000"), "bad-header"),
    "a record's name beyond ASCII": (
        {"record_line": "é 12 500 1000", "name": "é"},
        "bad-header",
    ),
    "several segments": (record_line("r/2 12 500 1000"), "multi-segment"),
    "a record that is its own segment": (header(b"r/1 12 500 1000\nr 1000\n"), "multi-segment"),
    "a segment at an address": (header(b"r/1 12 500 1000\nhttp://h/s 1000\n"), "multi-segment"),
    "an impossible date": (record_line("r 12 500 1000 25:61:61 99/99/9999"), "unreadable"),
    "a megabyte of comments": ({"edit": lambda text: text + b"#" * 2**20}, "bad-header"),
    "length 0": (record_line("r 12 500 0"), "implausible-length"),
    "length 1e11": (record_line("r 12 500 100000000000"), "implausible-length"),
    "a length that memory would have to hold": (record_line("r 12 5000 400000000"), "too-large"),
    "5000 samples in a frame": (layout("16x5000"), "implausible-rate"),
    "rate nan": (record_line("r 12 nan 1000"), "implausible-rate"),
    "rate -500": (record_line("r 12 -500 1000"), "implausible-rate"),
    "rate abc": (record_line("r 12 abc 1000"), "implausible-rate"),
    "rate 0": (record_line("r 12 0 1000"), "implausible-rate"),
    "no rate, so that the length is in its place": (record_line("r 12 1000"), "bad-header"),
    "gain 0": (gain("0"), "implausible-gain"),
    "gain nan": (gain("nan/mV"), "implausible-gain"),
    "gain inf": (gain("inf/mV"), "implausible-gain"),
    "gain abc": (gain("abc"), "implausible-gain"),
    "no gain": ({"line": "r.dat 16"}, "implausible-gain"),
    "gain 1e-300": (gain("1e-300"), "implausible-gain"),
    "gain 1e308": (gain("1e308"), "implausible-gain"),
    "a negative gain": (gain("-1000/mV"), "implausible-gain"),
    "1000 steps a microvolt": (gain("1000/uV"), "implausible-gain"),
    "a gain in mmHg": (gain("1000/mmHg"), "unknown-unit"),
    "a gain a hundred times too small": (gain("10/mV"), "implausible-amplitude"),
    "skew": (layout("16:99999"), "skewed-signals"),
    "an offset beyond the end": (layout("16+99999"), "truncated"),
    "format 212 stated for format 16": (layout("212"), "surplus-data"),
    "format 999": (layout("999"), "unsupported-format"),
    "a signal file in another folder": (signal_file("../r.dat"), "unsafe-path"),
    "a signal file by its absolute path": (signal_file("/tmp/r.dat"), "unsafe-path"),
    "a signal file at an address": (signal_file("http://h/r.dat"), "unsafe-path"),
    "a signal file at a chained address": (signal_file("x::http://h"), "unsafe-path"),
    "a signal file in a bucket": (signal_file("s3://b/r.dat"), "unsafe-path"),
    "a device as signal file": (signal_file("/dev/zero"), "unsafe-path"),
}

TAKEN = {
    "as it should be": {},
    "byte order mark": {"edit": lambda text: b"\xef\xbb\xbf" + text},
    "line ends of Windows": {"edit": lambda text: text.replace(b"\n", b"\r\n")},
    "a comment in Latin-1": {"edit": lambda text: text + b"#caf\xe9\n"},
    "a date as the Challenge writes it": record_line("r 12 500 1000 05-May-2020 09:49:17"),
    "257.5 Hz": record_line("r 12 257.5 1000"),
    "checksums that were never computed": {"line": "r.dat 16 1000/mV 16 0 0 0 0 {lead}"},
    "a gain in volts": gain("1e6/V"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_faulty_header_is_refused_with_its_code(record_files, case):
    changes, code = REFUSED[case]
    path = record_files.write(**changes)
    with pytest.raises(RejectedRecord) as caught:
        read_recording(path, root=path.parent, source="here")
    assert caught.value.code == code, caught.value
    assert caught.value.detail.isprintable()
    # Folders may be named after people.
    assert str(path.parent) not in caught.value.detail


@pytest.mark.parametrize("case", TAKEN)
def test_an_unusual_header_is_read_right(record_files, case):
    path = record_files.write(**TAKEN[case])
    found = read_recording(path, root=path.parent, source="here").signal_mv
    np.testing.assert_allclose(found, record_files.samples / 1000, atol=1e-6)


def test_a_folder_of_any_name_is_read(record_files):
    folder = record_files.folder / "Ærø 心 =1"
    folder.mkdir()
    path = dataclasses.replace(record_files, folder=folder).write()
    found = read_recording(path, root=record_files.folder, source="here").signal_mv
    np.testing.assert_allclose(found, record_files.samples / 1000, atol=1e-6)


@pytest.mark.parametrize("name", ["s3://b/r.hea", "http://h/r.hea", "a::b/r.hea", "file:///r.hea"])
def test_an_address_is_no_record(name):
    with pytest.raises(RejectedRecord, match="unsafe-path: an address"):
        read_recording(name, root="/", source="here")
