"""The scans of a cohort by split: each row checked, with what is known about the patient."""

import dataclasses
import datetime
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from data_builders.account import Account
from data_builders.clinical_cohort.description import Description
from data_builders.clinical_cohort.files import file_inside, pictures_below
from data_builders.clinical_cohort.listings import Listing, Row
from data_builders.examples import group_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.diagnoses import parse_age, parse_sex
from ecgmae_jax.records.recording import RejectedRecord

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
_SPLITS = {
    **{name: name for name in SHARES},
    **{"training": "train", "val": "validation", "valid": "validation", "testing": "test"},
}


@dataclasses.dataclass(frozen=True)
class Scan:
    """One file to read and what the cohort says about it.

    Attributes:
        features: age_years, sex, recorded_on and labels of the example.
    """

    path: pathlib.Path
    source: str
    record_id: str
    patient_id: str
    features: Mapping[str, Any]


def split_of(group: str) -> str:
    """The patient's split by SHARES, from the hash alone: the same in every build."""
    position = int(group, 16) / 16 ** len(group)
    for split, share in SHARES.items():
        position -= share
        if position < 0:
            return split
    return split


def scans_by_split(
    folder: pathlib.Path, description: Description, listing: Listing, account: Account
) -> dict[str, list[Scan]]:
    """The scans in the order of the rows; rows that cannot be used are noted in the account.

    Raises:
        InputError: where rows contradict each other: one file with different facts, one patient in
            two splits, or a split that is none.
    """
    has_patients = any("patient_id" in row.facts for row in listing.rows)
    has_splits = any(row.facts.get("split") for row in listing.rows)
    by_split: dict[str, list[Scan]] = {split: [] for split in SHARES}
    first_rows: dict[str, Row] = {}
    split_of_patient: dict[str, tuple[str, str]] = {}
    for row in listing.rows:
        try:
            scan = _scan(folder / description.scans, row, description, listing, account)
            _check_first(scan, row, first_rows)
        except RejectedRecord as fault:
            account.of(description.source).add_rejected(fault)
            continue
        if has_splits:
            split = _given_split(scan, row, split_of_patient)
        else:
            split = split_of(group_of(scan.source, scan.patient_id))
        by_split[split].append(scan)
    if not has_patients:
        account.notes.append(
            "no patient ids: every file counts as a patient of its own, and scans of one person "
            "may be in two splits"
        )
    account.notes += listing.notes
    rejected = {record for record, _, _ in account.of(description.source).rejections}
    found = {path.as_posix() for path in pictures_below(folder / description.scans)[0]}
    unlisted = len(found - set(first_rows) - rejected)
    if unlisted:
        account.notes.append(f"pictures of the folder that no row names, not read: {unlisted}")
    return by_split


def _scan(
    folder: pathlib.Path, row: Row, description: Description, listing: Listing, account: Account
) -> Scan:
    if not row.path:
        raise RejectedRecord(row.place, "no-path", "the row names no file")
    path = file_inside(folder, row.path)
    record_id = path.relative_to(os.path.realpath(folder)).as_posix()
    if not record_id.isprintable():
        raise RejectedRecord(row.path, "bad-name", "a file name that is not printable text")
    patient_id = row.facts.get("patient_id", record_id)
    if patient_id in description.missing:
        raise RejectedRecord(record_id, "no-patient-id", f"{row.place} names no patient")
    labels = {
        name: outcome.encode(row.cells[name], description.missing)
        for name, outcome in listing.outcomes.items()
    }
    features = {**_covariates(row, description, account), "labels": labels}
    return Scan(path, description.source, record_id, patient_id, features)


def _covariates(row: Row, description: Description, account: Account) -> dict[str, Any]:
    """Age, sex and date; a cell that is filled but not understood is counted as such."""
    known = {role: cell for role, cell in row.facts.items() if cell not in description.missing}
    # Half of Europe writes 63,5.
    age_years = parse_age(known.get("age", "").replace(",", "."))
    sex = description.sexes.get(known.get("sex", "")) or parse_sex(known.get("sex", ""))
    recorded_on = _iso_date(known.get("recorded_on", ""))
    unread = {
        "age": age_years != age_years,
        "sex": sex == "unknown",
        "recorded_on": not recorded_on,
    }
    for role, is_unread in unread.items():
        if is_unread and role in known:
            account.counts[f"with {role} not understood"] += 1
    return {"age_years": age_years, "sex": sex, "recorded_on": recorded_on}


def _iso_date(text: str) -> str:
    """The day of an ISO 8601 date or time; empty for any other order, which one would guess."""
    try:
        return datetime.datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return ""


def _given_split(scan: Scan, row: Row, split_of_patient: dict[str, tuple[str, str]]) -> str:
    split = _SPLITS.get(row.facts["split"].lower())
    if split is None:
        raise InputError(
            f"{row.place} has the split {row.facts['split']!r}: expected train, validation or "
            "test in every row, or no split at all"
        )
    first, place = split_of_patient.setdefault(scan.patient_id, (split, row.place))
    if first != split:
        raise InputError(
            f"the patient of {row.place} is in split {split!r} and, in {place}, in {first!r}: put "
            "all scans of a patient into one split"
        )
    return split


def _check_first(scan: Scan, row: Row, first_rows: dict[str, Row]) -> None:
    first = first_rows.setdefault(scan.record_id, row)
    if first is row:
        return
    if (first.facts, first.cells) != (row.facts, row.cells):
        raise InputError(
            f"{first.place} and {row.place} say different things about {scan.record_id}: keep the "
            "right one"
        )
    raise RejectedRecord(scan.record_id, "duplicate-row", f"{row.place} repeats {first.place}")
