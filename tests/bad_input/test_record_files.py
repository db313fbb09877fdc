"""Everything known to be wrong with the signals of WFDB records: refused, or read right."""

import io
import os

import numpy as np
import pytest
import scipy.io

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording

LINE = "r.dat 16 1000/mV 16 0 {first} {checksum} 0 {lead}"
MAT = {"line": LINE.replace("r.dat 16", "r.mat 16+24")}


def packed(samples):
    return samples.T.astype("<i2").tobytes()


def matlab(version):
    def write(folder, samples):
        file = io.BytesIO()
        scipy.io.savemat(file, {"val": samples.astype("<i2")}, format=version)
        (folder / "r.mat").write_bytes(file.getvalue())

    return MAT | {"after": write}


def hdf5(folder, samples):
    # What MATLAB 7.3 writes: its own header of 512 bytes, then HDF5.
    start = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n"
    (folder / "r.mat").write_bytes(start.ljust(24 + 2 * samples.size, b"\0"))


def in_place_of_the_file(make):
    def after(folder, samples):
        (folder / "r.dat").unlink()
        make(folder / "r.dat")

    return {"after": after}


def with_lead(lead, change):
    def changed(samples):
        samples = samples.copy()
        row = STANDARD_LEADS.index(lead)
        samples[row] = change(samples[row])
        return samples

    return {"samples": changed}


def flipped(samples):
    data = bytearray(packed(samples))
    data[12_345] ^= 4
    return bytes(data)


def with_gap(samples):
    samples = samples.copy()
    samples[:, 100:200] = -(2**15)
    return samples


SWAPPED = (*STANDARD_LEADS[:4], "aVF", "aVL", *STANDARD_LEADS[6:])

REFUSED = {
    "missing": (in_place_of_the_file(lambda path: None), "missing-file"),
    "a named pipe": (in_place_of_the_file(os.mkfifo), "unsafe-path"),
    "a folder": (in_place_of_the_file(os.mkdir), "unsafe-path"),
    "a link to a device": (
        in_place_of_the_file(lambda path: path.symlink_to("/dev/zero")),
        "unsafe-path",
    ),
    "a link out of the folder": (
        in_place_of_the_file(lambda path: path.symlink_to("../neighbour/file")),
        "unsafe-path",
    ),
    "a link to itself": (
        in_place_of_the_file(lambda path: path.symlink_to("r.dat")),
        "unreadable",
    ),
    "the header missing": (
        {"after": lambda folder, _: (folder / "r.hea").unlink()},
        "missing-file",
    ),
    "empty": ({"data": lambda samples: b""}, "truncated"),
    "cut": ({"data": lambda samples: packed(samples)[:-24]}, "truncated"),
    "of an odd length": ({"data": lambda samples: packed(samples)[:-1]}, "truncated"),
    "longer than stated": ({"data": lambda samples: packed(samples) + bytes(24)}, "surplus-data"),
    "one bit flipped": ({"data": flipped}, "bad-checksum"),
    "wrong checksum": ({"line": LINE.replace("{checksum}", "7")}, "bad-checksum"),
    "wrong first value": ({"line": LINE.replace("{first}", "7777")}, "bad-checksum"),
    "MATLAB 5 as if it were 4": (matlab("5"), "bad-mat"),
    "MATLAB 7.3 as if it were 4": (MAT | {"after": hdf5}, "bad-mat"),
    "two leads of one name": ({"leads": ("I", "I", *STANDARD_LEADS[2:])}, "duplicate-lead"),
    "one lead called ECG": (
        {"samples": lambda samples: samples[:1], "leads": ("ECG",)},
        "no-ecg-lead",
    ),
    "every sample missing": (
        {"samples": lambda samples: np.full_like(samples, -(2**15))},
        "all-missing",
    ),
    "a flat line": ({"samples": np.zeros_like}, "flat"),
    "cut off at a tenth of a millivolt": (
        {"samples": lambda samples: np.clip(samples, -100, 100)},
        "clipped",
    ),
    "aVL and aVF under each other's name": ({"leads": SWAPPED}, "limb-leads-disagree"),
    "III turned over": (with_lead("III", np.negative), "limb-leads-disagree"),
    "aVR at twice its scale": (with_lead("aVR", lambda row: 2 * row), "limb-leads-disagree"),
}

# Case -> changes, and what the samples are then, in standard order.
TAKEN = {
    "leads in reverse order": (
        {"samples": lambda samples: samples[::-1], "leads": STANDARD_LEADS[::-1]},
        lambda samples: samples,
    ),
    "two leads, from which four follow": (
        {"samples": lambda samples: samples[[1, 0]], "leads": ("II", "I")},
        lambda samples: samples[:6],
    ),
    "a gap in every lead": ({"samples": with_gap}, with_gap),
    "a lead that is off": (
        with_lead("aVL", np.zeros_like),
        with_lead("aVL", np.zeros_like)["samples"],
    ),
    "a limb lead off by rounding and zero": (
        with_lead("III", lambda row: row + 40),
        with_lead("III", lambda row: row + 40)["samples"],
    ),
    "MATLAB 4": (matlab("4"), lambda samples: samples),
}


@pytest.mark.parametrize("case", REFUSED)
def test_faulty_signals_are_refused_with_their_code(record_files, case):
    changes, code = REFUSED[case]
    path = record_files.write(**changes)
    with pytest.raises(RejectedRecord) as caught:
        read_recording(path, root=path.parent, source="here")
    assert caught.value.code == code, caught.value
    assert caught.value.detail.isprintable()
    assert str(path.parent) not in caught.value.detail


@pytest.mark.parametrize("case", TAKEN)
def test_unusual_signals_are_read_right(record_files, case):
    changes, expected = TAKEN[case]
    path = record_files.write(**changes)
    found = read_recording(path, root=path.parent, source="here").signal_mv
    samples = expected(record_files.samples)
    millivolts = np.where(samples == -(2**15), np.nan, samples / 1000)
    # What is derived has the rounding of two leads.
    np.testing.assert_allclose(found, millivolts, atol=0.0015)


def read_bounded(bounded, path, *, gib):
    expression = f"read_recording({str(path)!r}, root={str(path.parent)!r}, source='here')"
    imports = "from ecgmae_jax.records.wfdb_reader import read_recording"
    return bounded(imports, f"{expression}.signal_mv.shape", gib=gib)


def test_a_sparse_file_as_large_as_its_header_says_takes_no_memory(record_files, bounded):
    # 55 GB that stand on no disk: the size agrees, and memory would have to hold it.
    frames = 86_400 * 5000
    lines = [f"r.dat 16 1000/mV 16 0 0 0 0 {name}" for name in ("II", *map(str, range(63)))]
    header = "\n".join([f"r 64 5000 {frames}", *lines]).encode()
    path = record_files.write(edit=lambda _: header)
    with path.with_suffix(".dat").open("r+b") as file:
        file.truncate(64 * frames * 2)
    assert read_bounded(bounded, path, gib=3).code == "too-large"


def test_half_an_hour_is_read_within_a_gigabyte_and_a_half(record_files, bounded):
    path = record_files.write(samples=lambda samples: np.tile(samples, (1, 900)))
    outcome = read_bounded(bounded, path, gib=6)
    assert outcome.value == [12, 900_000]
    assert outcome.peak_mib < 1500
