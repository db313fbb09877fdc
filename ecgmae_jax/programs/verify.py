"""Looks at a cohort before anything is built of it, and says what has to be mended."""

import collections
import concurrent.futures
import json
import multiprocessing
import pathlib
from collections.abc import Sequence

import ml_collections

from ecgmae_jax.cohorts.findings import Finding, findings_csv, findings_table, in_order, num_errors
from ecgmae_jax.cohorts.named import named_cohort
from ecgmae_jax.cohorts.picture_checks import check_pictures
from ecgmae_jax.cohorts.picture_hashes import PictureHash, hash_picture
from ecgmae_jax.cohorts.private_files import private_files
from ecgmae_jax.cohorts.row_checks import check_rows
from ecgmae_jax.cohorts.scans import Cohort, Scan, read_cohort
from ecgmae_jax.cohorts.split_scans import cohort_splits
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.publishing import publish
from ecgmae_jax.programs import workdirs
from ecgmae_jax.records.recording import RejectedRecord


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Prints the findings, writes findings.csv and metrics.json.

    Raises:
        InputError: the cohort cannot be read at all, or something in it has to be mended.
    """
    if config.workers < 0:
        raise InputError(f"config.workers is {config.workers}; expected 0 or more")
    folder = pathlib.Path(config.folder).expanduser()
    if not config.folder or not folder.is_dir():
        raise InputError(f"config.folder is {config.folder!r}, which is no folder")
    cohort = read_cohort(folder, named_cohort(config.cohort))
    scans = list({scan.record_id: scan for scan in cohort.scans}.values())
    findings = check_rows(cohort) + _check_splits_file(cohort)
    findings += check_pictures(scans, _hashes(scans, workers=config.workers))
    with private_files():
        workdirs.open_workdir(workdir, config, data={})
        publish(workdir, _files(cohort, scans, findings))
    patients = len({scan.patient_id for scan in scans})
    print(f"{cohort.description.source}: {len(scans)} scans of {patients} patients")
    print(findings_table(findings))
    path = workdir / "findings.csv"
    print(f"one row for each finding: {path}")
    if number := num_errors(findings):
        raise InputError(f"{number} findings have to be mended before a build: see {path}")


def _check_splits_file(cohort: Cohort) -> list[Finding]:
    splits = cohort_splits(cohort)
    if splits is None:
        return []
    listed = {group for members in splits.parts.values() for group in members}
    listed |= set(splits.left_out)
    return [
        Finding("not-in-splits", scan.place, "a patient whom the file lacks", (scan.record_id,))
        for scan in cohort.scans
        if scan.group not in listed
    ]


def _hashes(scans: Sequence[Scan], *, workers: int) -> list[PictureHash | RejectedRecord]:
    paths = [scan.path for scan in scans]
    if not workers:
        return [hash_picture(path) for path in paths]
    # JAX runs threads, which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(hash_picture, paths, chunksize=8))


def _files(cohort: Cohort, scans: Sequence[Scan], findings: Sequence[Finding]) -> dict[str, bytes]:
    codes = collections.Counter(finding.code for finding in in_order(findings))
    metrics = {
        "program": "verify",
        "source": cohort.description.source,
        "scans": len(scans),
        "patients": len({scan.patient_id for scan in scans}),
        "errors": num_errors(findings),
        "findings": dict(codes),
    }
    return {
        "findings.csv": findings_csv(findings),
        "metrics.json": json.dumps(metrics, indent=2).encode(),
    }
