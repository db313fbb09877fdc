"""Says once, in a file, which patients of a cohort train, validate and test."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import ml_collections

from ecgmae_jax.cohorts.make_parts import make_parts
from ecgmae_jax.cohorts.named import named_cohort
from ecgmae_jax.cohorts.outcome_summaries import tell
from ecgmae_jax.cohorts.private_files import private_files
from ecgmae_jax.cohorts.scans import Cohort, Scan, read_cohort
from ecgmae_jax.cohorts.split_scans import unique_scans
from ecgmae_jax.data.split_files import SplitFile, splits_json
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.publishing import publish
from ecgmae_jax.programs import workdirs

FILE = "splits.json"


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes splits.json, which is never written again, and metrics.json; prints who is where."""
    path = workdir / FILE
    if path.exists():
        raise InputError(
            f"{path} is there already, and splits are made once: use it, or name another --workdir"
        )
    folder = pathlib.Path(config.folder).expanduser()
    if not config.folder or not folder.is_dir():
        raise InputError(f"config.folder is {config.folder!r}, which is no folder")
    cohort = read_cohort(folder, named_cohort(config.cohort))
    scans, _ = unique_scans(cohort.scans)
    splits = make_parts(
        cohort,
        scans,
        method=config.method,
        shares=config.shares.to_dict(),
        folds=config.folds,
        stratify=tuple(config.stratify),
        seed=config.seed,
    )
    parts = _account(cohort, scans, splits)
    metrics = {
        "program": "make_splits",
        "source": splits.source,
        "method": splits.method,
        "rounds": splits.rounds,
        "parts": parts,
        "patients_left_out": len(splits.left_out),
        "sha256": splits.fingerprint,
    }
    with private_files():
        workdirs.open_workdir(workdir, config, data={})
        files = {FILE: splits_json(splits), "metrics.json": json.dumps(metrics, indent=2).encode()}
        publish(workdir, files)
    for name, part in parts.items():
        print(f"{name}: {part['patients']} patients, {part['scans']} scans")
        for line in part["outcomes"]:
            print(f"    {line}")
    if splits.left_out:
        print(f"left out, since they were seen at several sites: {len(splits.left_out)} patients")
    print(f'in cohort.toml, above its tables: splits_file = "{path.resolve()}"')


def _account(cohort: Cohort, scans: Sequence[Scan], splits: SplitFile) -> dict[str, dict[str, Any]]:
    parts = {}
    for name, members in splits.parts.items():
        inside = set(members)
        some = [scan for scan in scans if scan.group in inside]
        remarks = []
        for task, outcome in cohort.listing.outcomes.items():
            kind = "targets" if outcome.is_number else "labels"
            remarks += tell(task, outcome, [scan.features[kind][task] for scan in some])
        parts[name] = {"patients": len(members), "scans": len(some), "outcomes": remarks}
    return parts
