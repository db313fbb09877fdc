"""Records written byte by byte, so that a test can spoil any one thing in them."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
import pytest

from ecgmae_jax.records.leads import STANDARD_LEADS


@dataclasses.dataclass
class RecordFiles:
    """A record on disk; `write` gives the path of its header.

    `signal_line` is formatted with first (first sample), checksum, signed_checksum and lead.
    """

    folder: pathlib.Path
    samples: np.ndarray
    leads: Sequence[str] = STANDARD_LEADS
    record_line: str = "r {signals} 500 {samples}"
    signal_line: str = "r.dat 16 1000/mV 16 0 {first} {checksum} 0 {lead}"
    comments: Sequence[str] = ("#Age: 63", "#Sex: Female", "#Dx: 426783006")
    data: bytes | None = None

    def write(self, **changes: object) -> pathlib.Path:
        record = dataclasses.replace(self, **changes)
        num_signals, num_samples = record.samples.shape
        lines = [record.record_line.format(signals=num_signals, samples=num_samples)]
        for lead, values in zip(record.leads, record.samples, strict=True):
            checksum = int(values.sum(dtype=np.int64)) % 2**16
            line = record.signal_line.format(
                first=values[0], checksum=checksum, signed_checksum=checksum - 2**16, lead=lead
            )
            lines.append(line)
        header = record.folder / "r.hea"
        header.write_text("\n".join([*lines, *record.comments]) + "\n", encoding="utf-8")
        data = record.samples.T.astype("<i2").tobytes() if record.data is None else record.data
        (record.folder / "r.dat").write_bytes(data)
        return header


@pytest.fixture(scope="session")
def by_einthoven():
    """Samples of twelve leads, from any: I and II are halved, and the four others follow."""

    def obey(samples: np.ndarray) -> np.ndarray:
        one, two = samples[:2] // 2
        limb = [one, two, two - one, -(one + two) // 2, one - two // 2, two - one // 2]
        return np.concatenate([limb, samples[6:]]).astype(samples.dtype)

    return obey


@pytest.fixture
def record_files(tmp_path, by_einthoven) -> RecordFiles:
    rng = np.random.default_rng(0)
    samples = by_einthoven(rng.integers(-1500, 1500, size=(12, 1000)).astype(np.int16))
    folder = tmp_path / "records"
    folder.mkdir()
    return RecordFiles(folder, samples)
