"""Tiny folders in the layouts of PTB-XL and of the Challenge of 2021."""

import csv
import pathlib

import numpy as np
import pytest

from data_builders.examples import group_of
from data_builders.physionet2021.records import split_of
from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording
from ecgmae_jax.records.wfdb_writer import write_recording

SCP_COLUMNS = ("", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass")
PTB_XL_COLUMNS = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold")
PTB_XL_PATHS = ("filename_lr", "filename_hr")
# ecg_id, patient, age, sex, statements, fold, rate
PTB_XL_ROWS = (
    (1, "11.0", "56.0", "1", "{'NORM': 100.0, 'SR': 0.0}", 1, 500),
    (2, "12.0", "300.0", "0", "{'IMI': 0.0, 'LVH': 35.0, 'PVC': 100.0}", 8, 100),
    (3, "12.0", "", "0", "{'AFIB': 0.0}", 8, 100),
    (4, "13.0", "33.0", "1", "{}", 9, 100),
)


def _recording(record_id: str, *, rate_hz: float, seconds: float, **fields) -> Recording:
    rng = np.random.default_rng(sum(record_id.encode()))
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    limb = [0.5 * np.sin(2 * np.pi * (f * time + rng.random())) for f in rng.uniform(1, 8, 2)]
    chest = [0.5 * np.sin(2 * np.pi * (f * time + rng.random())) for f in rng.uniform(1, 8, 6)]
    one, two = limb
    leads = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, *chest]
    known = {"diagnoses": (), "age_years": 50.0, "sex": "female", "patient_id": record_id}
    return Recording(
        signal_mv=np.float32(leads),
        rate_hz=rate_hz,
        leads=STANDARD_LEADS,
        record_id=record_id,
        source="test",
        **{**known, **fields},
    )


@pytest.fixture(scope="session")
def make_recording():
    """A recording of smooth waves that obeys Einthoven's law."""
    return _recording


def _write_csv(path: pathlib.Path, columns, rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


@pytest.fixture(scope="session")
def ptb_xl_folder(tmp_path_factory, repository) -> pathlib.Path:
    """Four good records, of which one at 500 Hz, a truncated, an absent and a misread one."""
    folder = tmp_path_factory.mktemp("ptb-xl")
    rows = []
    for ecg_id, patient, age, sex, codes, fold, rate in PTB_XL_ROWS:
        for rate_hz, suffix in ((100, "lr"), (500, "hr")):
            if rate_hz <= rate:
                name = f"{ecg_id:05d}_{suffix}"
                recording = _recording(name, rate_hz=float(rate_hz), seconds=10.0)
                write_recording(folder / f"records{rate_hz}/00000", recording)
        rows.append((ecg_id, patient, age, sex, codes, fold))
    write_recording(folder / "records100/00000", _recording("00005_lr", rate_hz=100.0, seconds=10))
    truncated = folder / "records100/00000/00005_lr.dat"
    truncated.write_bytes(truncated.read_bytes()[:-100])
    rows += [
        (5, "14.0", "40", "0", "{'NORM': 80.0}", 2),
        (6, "15.0", "40", "0", "{'NORM': 80.0}", 3),
        (7, "16.0", "40", "0", "{'NOSUCH': 80.0}", 3),
    ]
    paths = [
        (f"records100/00000/{row[0]:05d}_lr", f"records500/00000/{row[0]:05d}_hr") for row in rows
    ]
    _write_csv(
        folder / "ptbxl_database.csv",
        PTB_XL_COLUMNS + PTB_XL_PATHS,
        [(*row, *path) for row, path in zip(rows, paths, strict=True)],
    )
    table = repository / "data_builders/ptb_xl/scp_statements.csv"
    rows = list(csv.reader(table.read_text().splitlines()))[1:]
    _write_csv(folder / "scp_statements.csv", SCP_COLUMNS, rows)
    return folder


def _names(prefix: str, split: str, count: int) -> list[str]:
    """The first record names of a source that fall into a split."""
    source = {"A": "cpsc_2018", "E": "georgia"}[prefix]
    names = (f"{prefix}{number:04d}" for number in range(10_000))
    chosen = (name for name in names if split_of(group_of(source, name)) == split)
    return [next(chosen) for _ in range(count)]


@pytest.fixture(scope="session")
def challenge_folder(tmp_path_factory) -> pathlib.Path:
    """Two of the eight sources: georgia with three records, cpsc_2018 with a long and a bad one."""
    folder = tmp_path_factory.mktemp("challenge")
    first, second = _names("E", "train", 2)
    (third,) = _names("E", "validation", 1)
    georgia = folder / "training/georgia"
    write_recording(
        georgia / "g1",
        _recording(first, rate_hz=500.0, seconds=10, diagnoses=("426783006", "59118001")),
    )
    write_recording(
        georgia / "g1", _recording(second, rate_hz=257.0, seconds=6, diagnoses=("713427006",))
    )
    write_recording(
        georgia / "g2", _recording(third, rate_hz=1000.0, seconds=10, diagnoses=("999999999",))
    )
    long, bad = _names("A", "train", 2)
    cpsc = folder / "training/cpsc_2018/g1"
    write_recording(cpsc, _recording(long, rate_hz=500.0, seconds=26))
    (cpsc / f"{bad}.hea").write_text("nonsense\n")
    return folder
