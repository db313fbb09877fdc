"""The records that ptbxl_database.csv lists, as entries by split."""

import ast
import csv
import math
import pathlib
from collections.abc import Mapping

from data_builders.account import Account
from data_builders.examples import Entry
from data_builders.ptb_xl.statements import STATEMENTS, labels_of_statements
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.diagnoses import parse_age
from ecgmae_jax.records.recording import RejectedRecord

SOURCE = "ptb-xl"
DATABASE = "ptbxl_database.csv"
_COLUMNS = (
    "ecg_id",
    "patient_id",
    "age",
    "sex",
    "scp_codes",
    "strat_fold",
    "filename_lr",
    "filename_hr",
)
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
    missing = [column for column in _COLUMNS if rows and column not in rows[0]]
    if missing or not rows:
        lack = f"no column {', '.join(missing)}" if missing else "no rows"
        raise InputError(f"{path} has {lack}: expected the table of PTB-XL 1.0.1 or later")
    return rows


def entries_by_split(folder: pathlib.Path, account: Account) -> dict[str, list[Entry]]:
    """The records of folds 1-8, 9 and 10, in the order of the table.

    The 500 Hz recording where it is there, else the 100 Hz one. A row that cannot be used is noted
    in the account.
    """
    entries: dict[str, list[Entry]] = {"train": [], "validation": [], "test": []}
    seen = set()
    for row in read_database(folder):
        try:
            entry = _entry(folder, row)
            if entry.record_id in seen:
                raise RejectedRecord(entry.record_id, "duplicate-record", f"twice in {DATABASE}")
        except RejectedRecord as fault:
            account.of(SOURCE).add_rejected(fault)
            continue
        seen.add(entry.record_id)
        entries[_SPLIT_OF_FOLD[entry.features["strat_fold"]]].append(entry)
    return entries


def _entry(folder: pathlib.Path, row: Mapping[str, str]) -> Entry:
    ecg_id = row["ecg_id"].strip()
    try:
        record_id = f"{_whole(ecg_id):05d}"
        patient_id = str(_whole(row["patient_id"]))
        fold = _whole(row["strat_fold"])
        names = list(ast.literal_eval(row["scp_codes"]))
    except (ValueError, SyntaxError, TypeError) as fault:
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
    number = float(cell)
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"{cell!r} where a whole number was expected")
    return int(number)


def _header(folder: pathlib.Path, row: Mapping[str, str], record_id: str) -> pathlib.Path:
    for column in ("filename_hr", "filename_lr"):
        header = folder / f"{row[column].strip()}.hea"
        if header.is_file() and header.with_suffix(".dat").is_file():
            return header
    detail = f"neither {row['filename_hr']} nor {row['filename_lr']} is there as .hea and .dat"
    raise RejectedRecord(record_id, "no-file", detail)
