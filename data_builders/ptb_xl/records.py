"""The records that ptbxl_database.csv lists, as entries by split."""

import ast
import csv
import os
import pathlib
import re
from collections.abc import Mapping

from data_builders.account import Account
from data_builders.examples import Entry
from data_builders.ptb_xl.statements import STATEMENTS, labels_of_statements
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.diagnoses import parse_age
from ecgmae_jax.records.recording import RejectedRecord

SOURCE = "ptb-xl"
DATABASE = "ptbxl_database.csv"
COLUMNS = (
    "ecg_id",
    "patient_id",
    "age",
    "sex",
    "scp_codes",
    "strat_fold",
    "filename_lr",
    "filename_hr",
)
_LONGEST_CELL = 10_000
_QUOTED_LENGTH = 60
_SEXES = {"0": "male", "1": "female"}
_SPLIT_OF_FOLD = {**dict.fromkeys(range(1, 9), "train"), 9: "validation", 10: "test"}


def read_database(folder: pathlib.Path) -> list[dict[str, str]]:
    """The rows of ptbxl_database.csv, every cell as it is written there.

    Raises:
        InputError: if the file is missing, is another table or has no rows.
    """
    path = folder / DATABASE
    if not path.is_file():
        found = ", ".join(sorted(item.name for item in folder.iterdir())[:5]) or "nothing"
        raise InputError(
            f"{folder} has no {DATABASE} (it has {found}): --manual_dir must be the unpacked "
            "folder of PTB-XL, with records100/ and records500/"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path} is not UTF-8 text in columns ({fault})") from fault
    missing = [column for column in COLUMNS if rows and column not in rows[0]]
    if missing or not rows:
        lack = f"no column {', '.join(missing)}" if missing else "no rows"
        raise InputError(f"{path} has {lack}: expected the table of PTB-XL 1.0.1 or later")
    for number, row in enumerate(rows, start=1):
        # DictReader's names for what is too much and its values for what is missing.
        if None in row or None in row.values():
            raise InputError(
                f"{path} row {number} has more or fewer cells than the header: unpack PTB-XL again"
            )
    return rows


def entries_by_split(folder: pathlib.Path, account: Account) -> dict[str, list[Entry]]:
    """The records of folds 1-8, 9 and 10, in the order of the table.

    The 500 Hz recording where it is there, else the 100 Hz one. A row that cannot be used is noted
    in the account.

    Raises:
        InputError: for another table, and for a patient in two splits.
    """
    entries: dict[str, list[Entry]] = {"train": [], "validation": [], "test": []}
    seen = set()
    first_of_patient: dict[str, tuple[str, str]] = {}
    for row in read_database(folder):
        try:
            entry = _entry(folder, row)
            if entry.record_id in seen:
                raise RejectedRecord(entry.record_id, "duplicate-record", f"twice in {DATABASE}")
        except RejectedRecord as fault:
            account.of(SOURCE).add_rejected(fault)
            continue
        seen.add(entry.record_id)
        split = _SPLIT_OF_FOLD[entry.features["strat_fold"]]
        first, other = first_of_patient.setdefault(entry.patient_id, (split, entry.record_id))
        if first != split:
            raise InputError(
                f"{folder / DATABASE}: one patient has record {other} in {first} and record "
                f"{entry.record_id} in {split}: take the table as PTB-XL publishes it, whose folds "
                "keep patients together"
            )
        entries[split].append(entry)
    return entries


def _entry(folder: pathlib.Path, row: Mapping[str, str]) -> Entry:
    ecg_id = row["ecg_id"].strip()
    try:
        record_id = f"{_whole(ecg_id):05d}"
        patient_id = str(_whole(row["patient_id"]))
        fold = _whole(row["strat_fold"])
        names = _statements(row["scp_codes"])
    except ValueError as fault:
        raise RejectedRecord(ecg_id, "bad-row", f"{fault} in {DATABASE}") from fault
    unknown = sorted(set(names) - set(STATEMENTS))
    if unknown or fold not in _SPLIT_OF_FOLD:
        detail = f"unknown statement {', '.join(unknown)}" if unknown else f"strat_fold {fold}"
        raise RejectedRecord(ecg_id, "bad-row", f"{detail} in {DATABASE}")
    return Entry(
        header=_header(folder, row, record_id),
        root=folder,
        source=SOURCE,
        record_id=record_id,
        patient_id=patient_id,
        features={
            "age_years": parse_age(row["age"]),
            "sex": _SEXES.get(row["sex"].strip(), "unknown"),
            "strat_fold": fold,
            "labels": labels_of_statements(names),
        },
    )


def _whole(cell: str) -> int:
    """The whole number in a cell: patient_id is written as 15709.0."""
    # No more digits than a float holds: two patients must not become one.
    if not re.fullmatch(r"\d{1,15}(?:\.0*)?", cell.strip(), re.ASCII):
        raise ValueError(f"{cell[:_QUOTED_LENGTH]!a} where a whole number was expected")
    return int(cell.partition(".")[0])


def _statements(cell: str) -> list[str]:
    """The statements in a cell, a Python dict from names to likelihoods."""
    malformed = ValueError(f"scp_codes {cell[:_QUOTED_LENGTH]!a}")
    try:
        found = ast.literal_eval(cell) if len(cell) <= _LONGEST_CELL else None
    # All that the compiler says of texts that are no Python, or nested without end.
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as fault:
        raise malformed from fault
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise malformed
    return list(found)


def _header(folder: pathlib.Path, row: Mapping[str, str], record_id: str) -> pathlib.Path:
    for column in ("filename_hr", "filename_lr"):
        header = folder / f"{row[column].strip()}.hea"
        # Unlike `Path.is_file`, it takes names that no file can have.
        if os.path.isfile(header) and os.path.isfile(header.with_suffix(".dat")):
            return header
    names = f"{row['filename_hr'][:_QUOTED_LENGTH]!a} nor {row['filename_lr'][:_QUOTED_LENGTH]!a}"
    detail = f"neither {names} is there as .hea and .dat"
    raise RejectedRecord(record_id, "no-file", detail)
