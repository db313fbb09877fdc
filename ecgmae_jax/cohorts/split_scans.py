"""The scans of a cohort by split: as a splits file says, else its table, else by hash."""

import pathlib
from collections.abc import Sequence

from ecgmae_jax.cohorts.findings import Finding
from ecgmae_jax.cohorts.row_checks import SPLIT_NAMES, check_splits, same_facts
from ecgmae_jax.cohorts.scans import Cohort, Scan
from ecgmae_jax.data.split_files import SplitFile, read_splits
from ecgmae_jax.data.splits import assign_by_patient
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


def unique_scans(scans: Sequence[Scan]) -> tuple[list[Scan], list[RejectedRecord]]:
    """Every file once, and the rows that repeat one.

    Raises:
        InputError: two rows say different things about one file.
    """
    first_of: dict[str, Scan] = {}
    repeated = []
    for scan in scans:
        first = first_of.setdefault(scan.record_id, scan)
        if first is scan:
            continue
        if not same_facts(first, scan):
            raise InputError(
                f"{first.place} and {scan.place} say different things about one scan: keep the "
                "right one"
            )
        detail = f"{scan.place}: repeats {first.place}"
        repeated.append(RejectedRecord(scan.record_id, "duplicate-row", detail))
    return list(first_of.values()), repeated


def cohort_splits(cohort: Cohort) -> SplitFile | None:
    """The splits file that the cohort's description names, made of this cohort.

    Raises:
        InputError: one that cannot be used, was made of another source or with another key, or
            beside a column `split`.
    """
    name = cohort.description.splits_file
    if not name:
        return None
    if any(scan.split for scan in cohort.scans):
        raise InputError(
            f"{cohort.folder} has a splits_file and a column of splits: take one of them out "
            '(columns.split = "" in cohort.toml leaves the column unread)'
        )
    splits = read_splits(cohort.folder / pathlib.Path(name).expanduser())
    expected, found = (cohort.description.source, cohort.mark), (splits.source, splits.mark)
    if found != expected:
        raise InputError(
            f"the splits file is of source {found[0]!r} and key {found[1]}, the cohort is "
            f"{expected[0]!r} and its key {expected[1]}: make the splits anew"
        )
    return splits


def split_scans(
    cohort: Cohort, scans: Sequence[Scan], splits: SplitFile | None
) -> dict[str, list[Scan]]:
    """The scans of each split, in order; those that a splits file leaves out are in none.

    Raises:
        InputError: a patient in two splits of the table, a split that is none, or a patient whom
            the splits file does not know.
    """
    groups = [scan.group for scan in scans]
    if splits is not None:
        names, known = list(splits.parts), splits.part_of(groups)
    elif any(scan.split for scan in cohort.scans):
        _stop_at(check_splits(scans))
        names, known = list(SHARES), [SPLIT_NAMES[scan.split] for scan in scans]
    else:
        names = list(SHARES)
        known = assign_by_patient(groups, shares=SHARES, seed=0).tolist()
    by_split: dict[str, list[Scan]] = {name: [] for name in names}
    for scan, name in zip(scans, known, strict=True):
        if name:
            by_split[name].append(scan)
    return by_split


def _stop_at(findings: Sequence[Finding]) -> None:
    for finding in findings:
        raise InputError(
            f"{finding.place}: {finding.detail}; put all scans of a patient into one of train, "
            "validation and test, or leave the column out"
        )
