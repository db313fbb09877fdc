import os
import struct

import numpy as np
import pytest
import scipy.io

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording

MAT_LINE = "r.mat 16+24 1000/mV 16 0 {first} {checksum} 0 {lead}"


def code_of(path, root=None) -> str:
    with pytest.raises(RejectedRecord) as caught:
        read_recording(path, root=root or path.parent, source="here")
    return caught.value.code


def bits_as_bytes(samples: np.ndarray, bits: int) -> np.ndarray:
    return samples.astype(np.int64) & (2**bits - 1)


def pack_212(values: np.ndarray) -> bytes:
    """Two samples in three bytes, signal(5)."""
    first, second = bits_as_bytes(values, 12).reshape(-1, 2).T
    return (
        np.stack([first & 255, first >> 8 | second >> 8 << 4, second & 255], 1)
        .astype("u1")
        .tobytes()
    )


def pack_310(values: np.ndarray) -> bytes:
    """Three samples in four bytes: two 11-bit fields above bit 0, the third in what is left."""
    first, second, third = bits_as_bytes(values, 10).reshape(-1, 3).T
    low, high = first << 1 | (third & 31) << 11, second << 1 | third >> 5 << 11
    return np.stack([low, high], 1).astype("<u2").tobytes()


def pack_311(values: np.ndarray) -> bytes:
    """Three samples in the low 30 bits of four bytes."""
    first, second, third = bits_as_bytes(values, 10).reshape(-1, 3).T
    return (first | second << 10 | third << 20).astype("<u4").tobytes()


def pack_24(values: np.ndarray) -> bytes:
    return values.astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()


PACKED = {
    "16": lambda values: values.astype("<i2").tobytes(),
    "24": pack_24,
    "32": lambda values: values.astype("<i4").tobytes(),
    "80": lambda values: (values + 128).astype("u1").tobytes(),
    "160": lambda values: (values.astype(np.int64) + 32768).astype("<u2").tobytes(),
    "212": pack_212,
    "310": pack_310,
    "311": pack_311,
}


@pytest.mark.parametrize("sample_format", PACKED)
def test_every_format_is_read_and_its_missing_samples_found(
    record_files, by_einthoven, sample_format
):
    bits = {"80": 8, "212": 12, "310": 10, "311": 10, "24": 24, "32": 32}.get(sample_format, 16)
    rng = np.random.default_rng(1)
    lowest = -(2 ** (bits - 1))
    samples = by_einthoven(rng.integers(max(lowest + 1, -3000), min(-lowest, 3000), (12, 600)))
    samples[4, 100:200] = lowest
    expected = np.where(samples == lowest, np.nan, samples / 400).astype(np.float32)
    path = record_files.write(
        samples=samples,
        signal_line=f"r.dat {sample_format} 400 0 0 {{first}} {{checksum}} 0 {{lead}}",
        data=PACKED[sample_format](samples.T.reshape(-1)),
    )
    recording = read_recording(path, root=path.parent, source="here")
    np.testing.assert_array_equal(recording.signal_mv, expected)


def test_differences_of_format_8_add_up(record_files, by_einthoven):
    steps = np.random.default_rng(1).integers(-80, 80, size=(12, 600))
    samples = by_einthoven(np.cumsum(steps, axis=1))
    steps = np.diff(samples, axis=1, prepend=0)
    path = record_files.write(
        samples=samples,
        signal_line="r.dat 8 1000 0 0 {first} {checksum} 0 {lead}",
        data=np.concatenate([0 * steps[:, :1], steps[:, 1:]], axis=1).T.astype("i1").tobytes(),
    )
    recording = read_recording(path, root=path.parent, source="here")
    np.testing.assert_allclose(recording.signal_mv, samples / 1000, rtol=1e-6)


def test_an_odd_number_of_212_samples_may_end_in_half_a_block(record_files):
    samples = np.random.default_rng(1).integers(-2000, 2000, size=(3, 601))
    values = np.append(samples.T.reshape(-1), 0)
    for surplus in (0, 1):
        path = record_files.write(
            samples=samples,
            leads=("I", "II", "V1"),
            signal_line="r.dat 212 400 12 0 {first} {checksum} 0 {lead}",
            data=pack_212(values)[: None if surplus else -1],
        )
        recording = read_recording(path, root=path.parent, source="here")
        np.testing.assert_allclose(recording.signal_mv[0], samples[0] / 400, rtol=1e-6)


def test_signals_in_two_files(record_files):
    path = record_files.write(data=record_files.samples[:6].T.tobytes())
    lines = path.read_text().splitlines()
    lines[7:13] = [line.replace("r.dat", "s.dat") for line in lines[7:13]]
    path.write_text("\n".join(lines))
    (path.parent / "s.dat").write_bytes(record_files.samples[6:].T.tobytes())
    signal = read_recording(path, root=path.parent, source="here").signal_mv
    np.testing.assert_allclose(signal, record_files.samples / 1000, rtol=1e-6)


def write_mat(record_files, **changes):
    path = record_files.write(signal_line=MAT_LINE)
    file = path.with_suffix(".mat")
    options = {"format": "4", "appendmat": False} | changes
    samples = options.pop("samples", record_files.samples)
    scipy.io.savemat(file, {options.pop("name", "val"): samples}, **options)
    return path


def test_matlab_4_is_read(record_files):
    path = write_mat(record_files)
    signal = read_recording(path, root=path.parent, source="here").signal_mv
    np.testing.assert_allclose(signal, record_files.samples / 1000, rtol=1e-6)


def test_what_only_looks_like_matlab_4_is_refused(record_files):
    samples = record_files.samples
    assert code_of(write_mat(record_files, format="5")) == "bad-mat"
    assert code_of(write_mat(record_files, samples=samples.T)) == "bad-mat"
    assert code_of(write_mat(record_files, samples=samples.astype(float))) == "bad-mat"
    assert code_of(write_mat(record_files, samples=samples + 1j)) == "bad-mat"
    assert code_of(write_mat(record_files, name="value")) == "bad-mat"
    path = write_mat(record_files)
    content = path.with_suffix(".mat").read_bytes()
    path.with_suffix(".mat").write_bytes(struct.pack(">5i", 1030, 12, 1000, 0, 4) + content[20:])
    assert code_of(path) == "bad-mat"
    path.with_suffix(".mat").write_bytes(content[:-2])
    assert code_of(path) == "truncated"
    path.with_suffix(".mat").write_bytes(content[:7])
    assert code_of(path) == "truncated"


def test_missing_files(record_files):
    path = record_files.write()
    (path.parent / "r.dat").unlink()
    assert code_of(path) == "missing-file"
    path.unlink()
    assert code_of(path) == "missing-file"


def test_only_a_header_is_a_header(record_files):
    record_files.write()
    assert code_of(record_files.folder / "r.dat") == "unsafe-path"


def test_a_header_outside_the_root_is_refused(record_files):
    path = record_files.write()
    other = path.parent.parent / "other"
    other.mkdir()
    assert code_of(path, root=other) == "unsafe-path"
    (other / "r.hea").symlink_to(path)
    assert code_of(other / "r.hea", root=other) == "unsafe-path"


def test_links_must_not_lead_out_of_the_folder(record_files):
    path = record_files.write()
    outside = path.parent.parent / "secret.dat"
    (path.parent / "r.dat").rename(outside)
    (path.parent / "r.dat").symlink_to(outside)
    assert code_of(path, root=path.parent.parent) == "unsafe-path"
    outside.rename(path.parent / "inside.dat")
    (path.parent / "r.dat").unlink()
    (path.parent / "r.dat").symlink_to("inside.dat")
    assert read_recording(path, root=path.parent, source="here").record_id == "r"


def test_a_folder_reached_over_a_link_is_no_fault(record_files):
    path = record_files.write()
    (path.parent.parent / "alias").symlink_to(path.parent)
    alias = path.parent.parent / "alias"
    assert read_recording(alias / "r.hea", root=alias, source="here").record_id == "r"


@pytest.mark.parametrize("name", ["r.dat", "r.hea"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device"])
def test_only_regular_files_are_opened(record_files, name, kind):
    path = record_files.write()
    target = path.parent / name
    target.unlink()
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(target if kind == "loop" else "/dev/zero")
    assert code_of(path) == ("unreadable" if kind == "loop" else "unsafe-path")


def test_a_header_of_megabytes_is_refused(record_files):
    path = record_files.write(comments=["#" * 2**20])
    assert code_of(path) == "bad-header"


def test_a_path_that_names_a_remote_file_system_is_refused(record_files):
    folder = record_files.folder / "a::b"
    folder.mkdir()
    path = record_files.write(folder=folder)
    assert code_of(path) == "unsafe-path"
    assert code_of("s3://bucket/r.hea", root="/") == "unsafe-path"
