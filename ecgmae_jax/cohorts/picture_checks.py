"""Findings from a cohort's pictures: unreadable ones, and those that are there twice."""

import collections
from collections.abc import Sequence

import numpy as np

from ecgmae_jax.cohorts.findings import Finding
from ecgmae_jax.cohorts.picture_hashes import PictureHash, pairs_alike
from ecgmae_jax.cohorts.row_checks import known
from ecgmae_jax.cohorts.scans import Scan
from ecgmae_jax.records.recording import RejectedRecord


def check_pictures(
    scans: Sequence[Scan], hashes: Sequence[PictureHash | RejectedRecord]
) -> list[Finding]:
    """All findings of what `hash_picture` said of each scan, in no order."""
    findings = []
    readable: list[tuple[Scan, PictureHash]] = []
    for scan, found in zip(scans, hashes, strict=True):
        if isinstance(found, PictureHash):
            readable.append((scan, found))
        else:
            detail = f"{found.code}: {found.detail}"
            findings.append(Finding("unreadable", scan.place, detail, (scan.record_id,)))
    same: dict[str, list[Scan]] = collections.defaultdict(list)
    first_of: dict[str, PictureHash] = {}
    for scan, found in readable:
        same[found.exact].append(scan)
        first_of.setdefault(found.exact, found)
    for first, *others in same.values():
        for scan in others:
            findings += _identical(first, scan)
    # One of each set of equal pictures stands for all of them.
    firsts = [some[0] for some in same.values()]
    waves = [found.waves for found in first_of.values()]
    for i, j, likeness in pairs_alike(np.stack(waves)) if waves else ():
        findings.append(_alike(firsts[i], firsts[j], likeness))
    return findings


def _identical(first: Scan, scan: Scan) -> list[Finding]:
    records = (first.record_id, scan.record_id)
    where = f"the same pixels as {first.place}"
    differing = _differing_outcomes(first, scan)
    findings = []
    if differing:
        detail = f"{where}, and another {', '.join(differing)}"
        findings.append(Finding("mislabelled", scan.place, detail, records))
    if first.patient_id != scan.patient_id:
        findings.append(Finding("two-patients", scan.place, f"{where}, another patient", records))
    return findings or [Finding("duplicate", scan.place, where, records)]


def _alike(first: Scan, scan: Scan, likeness: float) -> Finding:
    differing = _differing_outcomes(first, scan)
    outcomes = f"; another {', '.join(differing)}" if differing else ""
    patient = "the same" if first.patient_id == scan.patient_id else "another"
    detail = f"like {first.place} ({likeness:.0%} alike); {patient} patient{outcomes}"
    return Finding("near-duplicate", scan.place, detail, (first.record_id, scan.record_id))


def _differing_outcomes(first: Scan, scan: Scan) -> list[str]:
    """Outcomes that both scans have, and not the same."""
    differing = []
    for kind in ("labels", "targets"):
        values, others = (one.features.get(kind, {}) for one in (first, scan))
        differing += [
            name
            for name, value in values.items()
            if known(value) and known(others[name]) and value != others[name]
        ]
    return differing
