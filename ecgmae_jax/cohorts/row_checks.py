"""Findings from a cohort's rows alone: contradictions, splits, outcomes, telling names."""

import collections
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from ecgmae_jax.cohorts.findings import Finding
from ecgmae_jax.cohorts.listings import LABEL
from ecgmae_jax.cohorts.outcomes import Outcome
from ecgmae_jax.cohorts.scans import Cohort, Scan
from ecgmae_jax.cohorts.telling_names import dates_in, looks_like_name

SPLIT_NAMES = {
    **{name: name for name in ("train", "validation", "test")},
    **{"training": "train", "val": "validation", "valid": "validation", "testing": "test"},
}
_MOST_PLACES = 3


def check_rows(cohort: Cohort) -> list[Finding]:
    """All findings that need no picture, in no order."""
    findings = [
        Finding("no-scan", fault.detail.split(": ")[0], f"{fault.code}: {_after_place(fault)}")
        for fault in cohort.rejections
    ]
    findings += _repeated(cohort.scans) + check_splits(cohort.scans)
    findings += _contradicting_sex(cohort.scans)
    for name, outcome in cohort.listing.outcomes.items():
        findings += _outcome(name, outcome, cohort.scans)
    findings += [
        Finding("not-understood", "", f"{number} rows {fact}")
        for fact, number in sorted(cohort.counts.items())
    ]
    for note in cohort.notes:
        code = {"no patient ids": "no-patients", "pictures of the folder": "not-listed"}
        findings += [Finding(c, "", note) for start, c in code.items() if note.startswith(start)]
    return findings + _telling(cohort)


def same_facts(first: Scan, second: Scan) -> bool:
    """Whether two rows say the same about one file."""
    facts = [(s.patient_id, s.split, repr(s.features)) for s in (first, second)]
    return facts[0] == facts[1]


def check_splits(scans: Sequence[Scan]) -> list[Finding]:
    """Findings about the splits that the table gives."""
    if not any(scan.split for scan in scans):
        return []
    findings = [
        Finding("bad-split", scan.place, f"the split is {scan.split!r}", (scan.record_id,))
        for scan in scans
        if scan.split not in SPLIT_NAMES
    ]
    for some in _by(scans, lambda scan: scan.patient_id):
        first = some[0]
        findings += [
            Finding(
                "two-splits",
                scan.place,
                f"the patient is in {scan.split!r} and, in {first.place}, in {first.split!r}",
                (first.record_id, scan.record_id),
            )
            for scan in some
            if SPLIT_NAMES.get(scan.split) != SPLIT_NAMES.get(first.split)
        ]
    return findings


def _after_place(fault: Any) -> str:
    return fault.detail.partition(": ")[2]


def _by(scans: Sequence[Scan], key: Callable[[Scan], Any]) -> list[list[Scan]]:
    groups: dict[Any, list[Scan]] = collections.defaultdict(list)
    for scan in scans:
        groups[key(scan)].append(scan)
    return list(groups.values())


def _repeated(scans: Sequence[Scan]) -> list[Finding]:
    findings = []
    for first, *others in _by(scans, lambda scan: scan.record_id):
        for scan in others:
            same = same_facts(first, scan)
            detail = f"names the scan of {first.place}" + ("" if same else " with other facts")
            code = "repeated-row" if same else "contradicting-rows"
            findings.append(Finding(code, scan.place, detail, (scan.record_id,)))
    return findings


def _contradicting_sex(scans: Sequence[Scan]) -> list[Finding]:
    findings = []
    for some in _by(scans, lambda scan: scan.patient_id):
        first_of = {}
        for scan in some:
            first_of.setdefault(scan.features["sex"], scan)
        first_of.pop("unknown", None)
        if len(first_of) > 1:
            one, other = first_of.values()
            sexes = f"{one.features['sex']}, and in {other.place} {other.features['sex']}"
            records = (one.record_id, other.record_id)
            findings.append(
                Finding("contradicting-sex", one.place, f"the patient is {sexes}", records)
            )
    return findings


def _outcome(name: str, outcome: Outcome, scans: Sequence[Scan]) -> list[Finding]:
    kind = "targets" if outcome.is_number else "labels"
    values = [scan.features[kind][name] for scan in scans]
    missing = [scan for scan, value in zip(scans, values, strict=True) if not known(value)]
    findings = []
    if missing:
        places = ", ".join(scan.place for scan in missing[:_MOST_PLACES])
        more = ", ..." if len(missing) > _MOST_PLACES else ""
        detail = f"{len(missing)} of {len(scans)} scans have no {name} ({places}{more})"
        findings.append(Finding("missing-outcome", "", detail))
    found = [value for value in values if known(value)]
    if outcome.is_number:
        field = "value" if outcome.type == "continuous" else "event"
        if len({value[field] for value in found}) < 2:
            findings.append(Finding("constant-outcome", "", f"{name}: every {field} is the same"))
    elif not outcome.several and len(set(found)) < 2:
        findings.append(Finding("constant-outcome", "", f"{name}: fewer than two classes occur"))
    elif found:
        sets = [set(value) if outcome.several else {value} for value in found]
        for index, word in enumerate(outcome.classes):
            count = sum(index in some for some in sets)
            if count in (0, len(sets)):
                detail = f"{name}: {count} of {len(sets)} scans are {word!r}"
                findings.append(Finding("constant-class", "", detail))
    return findings


def known(value: Any) -> bool:
    """Whether an encoded outcome says anything."""
    if isinstance(value, dict):
        return all(number == number for number in value.values())
    return bool(value) if isinstance(value, list) else value >= 0


def _telling(cohort: Cohort) -> list[Finding]:
    """Names and dates in patient ids and in file names; what they are is not repeated."""
    findings = []
    for row in cohort.listing.rows:
        parts = pathlib.PurePath(row.path.replace("\\", "/")).with_suffix("").parts
        # A folder that is a class names a disease, not a person.
        stem = " ".join(parts[1:] if row.cells.get(LABEL) in parts[:1] else parts)
        recorded = set(dates_in(row.facts.get("recorded_on", "")))
        for what, text in (("patient id", row.facts.get("patient_id", "")), ("file name", stem)):
            if looks_like_name(text):
                findings.append(Finding("name", row.place, f"the {what} reads like a name"))
            if set(dates_in(text)) - recorded:
                detail = f"the {what} has a date in it that is not the recording's"
                findings.append(Finding("date", row.place, detail))
    return findings
