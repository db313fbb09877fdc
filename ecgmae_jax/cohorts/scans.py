"""The scans of a cohort: each row checked, under pseudonyms, with what is known about it."""

import collections
import dataclasses
import datetime
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from ecgmae_jax.cohorts.description import Description, read_description
from ecgmae_jax.cohorts.files import file_inside, pictures_below
from ecgmae_jax.cohorts.identifiers import group_of, key_mark, pseudonym, read_key
from ecgmae_jax.cohorts.listings import Listing, Row, read_listing
from ecgmae_jax.records.diagnoses import parse_age, parse_sex
from ecgmae_jax.records.recording import RejectedRecord


@dataclasses.dataclass(frozen=True)
class Scan:
    """One file to read and what the cohort says about it.

    Attributes:
        path: where it lies; not to be written anywhere.
        record_id: pseudonym of the file.
        patient_id: pseudonym of the patient; of the file where no patients are known.
        place: where the cohort lists it, in words without names.
        split: as the table gives it, in lower case; empty for none.
        features: age_years, sex, recorded_on, site, device and labels of the example, and targets
            where there are any.
    """

    path: pathlib.Path
    source: str
    record_id: str
    patient_id: str
    place: str = ""
    split: str = ""
    features: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def group(self) -> str:
        """The patient's hash, by which splits are made."""
        return group_of(self.source, self.patient_id)


@dataclasses.dataclass(frozen=True)
class Cohort:
    """A cohort as it is described, before any picture is opened.

    Attributes:
        scans: in the order of the rows.
        rejections: the rows that name nothing to read.
        counts: of cells that are filled but not understood.
        mark: of the key, see `key_mark`.
    """

    folder: pathlib.Path
    description: Description
    listing: Listing
    scans: list[Scan]
    rejections: list[RejectedRecord]
    counts: collections.Counter[str]
    notes: list[str]
    mark: str


def read_cohort(folder: pathlib.Path, default: Description) -> Cohort:
    """The cohort of a folder, described by its `cohort.toml` and the default.

    Raises:
        InputError: for every fault of the description, the table or the key.
    """
    description = read_description(folder, default)
    key = read_key(folder, description.key_file)
    listing = read_listing(folder, description)
    below = folder / description.scans
    counts: collections.Counter[str] = collections.Counter()
    scans, rejections = [], []
    for row in listing.rows:
        try:
            scans.append(_scan(below, row, description, listing, key, counts))
        except RejectedRecord as fault:
            rejections.append(_without_name(fault, row, key))
    notes = list(listing.notes)
    if not any("patient_id" in row.facts for row in listing.rows):
        notes.append(
            "no patient ids: every file counts as a patient of its own, and scans of one person "
            "may be in two splits"
        )
    unlisted = _number_unlisted(below, listing)
    if unlisted:
        notes.append(f"pictures of the folder that no row names, not read: {unlisted}")
    return Cohort(
        folder, description, listing, scans, rejections, counts, notes, mark=key_mark(key)
    )


def _scan(
    below: pathlib.Path,
    row: Row,
    description: Description,
    listing: Listing,
    key: bytes,
    counts: collections.Counter[str],
) -> Scan:
    if not row.path:
        raise RejectedRecord("", "no-path", "the row names no file")
    path = file_inside(below, row.path)
    name = path.relative_to(os.path.realpath(below)).as_posix()
    if not name.isprintable():
        raise RejectedRecord(name, "bad-name", "a file name that is not printable text")
    patient = row.facts.get("patient_id", name)
    if patient in description.missing:
        raise RejectedRecord(name, "no-patient-id", "the row names no patient")
    values = {
        outcome_name: outcome.encode(outcome_name, row.cells, description.missing)
        for outcome_name, outcome in listing.outcomes.items()
    }
    numbers = {key for key, outcome in listing.outcomes.items() if outcome.is_number}
    targets = {name: value for name, value in values.items() if name in numbers}
    return Scan(
        path,
        description.source,
        record_id=pseudonym(key, "record", name),
        patient_id=pseudonym(key, "patient", patient),
        place=row.place,
        split=row.facts.get("split", "").lower(),
        features={
            **_covariates(row, description, counts),
            "labels": {name: value for name, value in values.items() if name not in numbers},
            **({"targets": targets} if targets else {}),
        },
    )


def _without_name(fault: RejectedRecord, row: Row, key: bytes) -> RejectedRecord:
    record = pseudonym(key, "record", row.path) if row.path else ""
    return RejectedRecord(record, fault.code, f"{row.place}: {fault.detail}")


def _covariates(
    row: Row, description: Description, counts: collections.Counter[str]
) -> dict[str, Any]:
    """What is known of the patient; a cell that is filled but not understood is counted."""
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
            counts[f"with {role} not understood"] += 1
    places = {role: known.get(role, "") for role in ("site", "device")}
    return {"age_years": age_years, "sex": sex, "recorded_on": recorded_on, **places}


def _iso_date(text: str) -> str:
    """The day of an ISO 8601 date or time; empty for any other order, which one would guess."""
    try:
        return datetime.datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return ""


def _number_unlisted(below: pathlib.Path, listing: Listing) -> int:
    found = {path.as_posix() for path in pictures_below(below)[0]}
    named = set()
    for row in listing.rows:
        try:
            path = file_inside(below, row.path)
        except RejectedRecord:
            named.add(row.path)
            continue
        named.add(path.relative_to(os.path.realpath(below)).as_posix())
    return len(found - named)
