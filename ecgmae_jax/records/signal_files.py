"""The files a header names: where they lie, what they are, how long they must be.

Everything here happens before wfdb opens a file. wfdb follows symbolic links, waits for ever on a
named pipe, reads MATLAB 5 and 7.3 files as if they were version 4, and drops surplus samples.
"""

import dataclasses
import itertools
import os
import pathlib
import stat
import struct

from ecgmae_jax.records.header import Header, SignalLine
from ecgmae_jax.records.recording import RejectedRecord


@dataclasses.dataclass(frozen=True)
class SampleFormat:
    """Storage of samples in a signal file, signal(5) of the WFDB Applications Guide.

    Attributes:
        bits: resolution; for format 8 (first differences) that of the recorders which use it.
        block_samples: samples that share a block of `block_bytes`.
        block_bytes: size of a block.
        missing: value of a sample that was not recorded; None where the format has none.
    """

    bits: int
    block_samples: int
    block_bytes: int
    missing: int | None

    def file_sizes(self, num_samples: int) -> set[int]:
        """Bytes of that many samples; the last block may be written whole or cut."""
        cut = -(-num_samples * self.block_bytes // self.block_samples)
        whole = -(-num_samples // self.block_samples) * self.block_bytes
        return {cut, whole}


# Without 61 (big-endian), whose integers wfdb 4.3 does not hand out, and without FLAC (508 to 524),
# whose length no header can promise.
SAMPLE_FORMATS = {
    "8": SampleFormat(16, 1, 1, None),
    "16": SampleFormat(16, 1, 2, -(2**15)),
    "24": SampleFormat(24, 1, 3, -(2**23)),
    "32": SampleFormat(32, 1, 4, -(2**31)),
    "80": SampleFormat(8, 1, 1, -(2**7)),
    "160": SampleFormat(16, 1, 2, -(2**15)),
    "212": SampleFormat(12, 2, 3, -(2**11)),
    "310": SampleFormat(10, 3, 4, -(2**9)),
    "311": SampleFormat(10, 3, 4, -(2**9)),
}

# MATLAB 4 codes the type of a full little-endian matrix as 10 times: 2 int32, 3 int16, 5 uint8.
_MAT4_TYPES = {"32": 20, "16": 30, "80": 50}
_MAT4_HEADER = struct.Struct("<5i")


def require_regular_file(path: pathlib.Path, *, inside: pathlib.Path, record: str) -> int:
    """The size in bytes of a file that really lies under a folder, links followed.

    Raises:
        RejectedRecord: when it is missing, elsewhere, or no regular file.
    """
    try:
        real = os.path.realpath(path)
        if not pathlib.Path(real).is_relative_to(os.path.realpath(inside)):
            detail = f"{path.name!a} leads out of its folder"
            raise RejectedRecord(record, "unsafe-path", detail)
        status = os.stat(real)
    except FileNotFoundError as error:
        raise RejectedRecord(record, "missing-file", f"there is no {path.name!a}") from error
    except (OSError, ValueError) as error:
        detail = f"{path.name!a}: {getattr(error, 'strerror', None) or error}"
        raise RejectedRecord(record, "unreadable", detail) from error
    if not stat.S_ISREG(status.st_mode):
        raise RejectedRecord(record, "unsafe-path", f"{path.name!a} is not a regular file")
    return status.st_size


def check_signal_files(header: Header, *, folder: pathlib.Path, record: str) -> None:
    """Passes when every signal file is a local file that fits the header byte for byte.

    Raises:
        RejectedRecord: otherwise.
    """
    groups = [
        (name, list(signals))
        for name, signals in itertools.groupby(header.signals, key=lambda line: line.file_name)
    ]
    if len({name for name, _ in groups}) < len(groups):
        detail = "the signals of one file do not stand together in the header"
        raise RejectedRecord(record, "bad-header", detail)
    for name, signals in groups:
        _check_signal_file(folder / name, signals, header.num_frames, record)


def _check_signal_file(
    path: pathlib.Path, signals: list[SignalLine], num_frames: int, record: str
) -> None:
    if len({(line.format, line.byte_offset) for line in signals}) > 1:
        detail = f"{path.name!a} with several formats or offsets, expected one"
        raise RejectedRecord(record, "bad-header", detail)
    sample_format = SAMPLE_FORMATS.get(signals[0].format)
    if sample_format is None:
        detail = f"format {signals[0].format}, expected one of {', '.join(SAMPLE_FORMATS)}"
        raise RejectedRecord(record, "unsupported-format", detail)
    size = require_regular_file(path, inside=path.parent, record=record)
    frame = sum(line.samples_per_frame for line in signals)
    if path.suffix == ".mat":
        _check_mat4(path, signals[0], shape=(frame, num_frames), record=record)
    offset = signals[0].byte_offset
    expected = {offset + size for size in sample_format.file_sizes(frame * num_frames)}
    if size not in expected:
        code = "truncated" if size < min(expected) else "surplus-data"
        detail = f"{path.name!a} holds {size} bytes, the header promises {min(expected)}"
        raise RejectedRecord(record, code, detail)


def _check_mat4(
    path: pathlib.Path, signal: SignalLine, *, shape: tuple[int, int], record: str
) -> None:
    """Passes when the file is a MATLAB 4 matrix of the header's type, shape and offset."""
    try:
        with path.open("rb") as file:
            start = file.read(_MAT4_HEADER.size)
    except OSError as error:
        raise RejectedRecord(record, "unreadable", f"{path.name!a}: {error.strerror}") from error
    if len(start) < _MAT4_HEADER.size:
        raise RejectedRecord(record, "truncated", f"{path.name!a} holds {len(start)} bytes")
    if start.startswith(b"MATLAB "):
        detail = f"{path.name!a} is a MATLAB {start[7:10].decode('ascii', 'replace')} file"
        raise RejectedRecord(record, "bad-mat", f"{detail}, expected version 4")
    kind, rows, columns, imaginary, name_length = _MAT4_HEADER.unpack(start)
    if kind != _MAT4_TYPES.get(signal.format) or imaginary:
        detail = f"{path.name!a} is not a MATLAB 4 matrix of format {signal.format}"
        raise RejectedRecord(record, "bad-mat", detail)
    if (rows, columns) != shape or _MAT4_HEADER.size + name_length != signal.byte_offset:
        detail = (
            f"{path.name!a} holds {rows}x{columns} samples from byte "
            f"{_MAT4_HEADER.size + name_length}, the header promises "
            f"{shape[0]}x{shape[1]} from byte {signal.byte_offset}"
        )
        raise RejectedRecord(record, "bad-mat", detail)
