"""Parts of a cohort by patient: at random, in folds, by site, by date, or as its table gives."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecgmae_jax.cohorts.row_checks import SPLIT_NAMES, check_splits, known
from ecgmae_jax.cohorts.scans import Cohort, Scan
from ecgmae_jax.data.split_files import ROLES, Round, SplitFile, fold_rounds, simple_round
from ecgmae_jax.data.splits import deal_by_date, deal_by_stratum, quarters, rarest_classes
from ecgmae_jax.errors import InputError

METHODS = ("random", "kfold", "site", "temporal", "given")
_FEWEST_FOLDS = 3

Parts = dict[str, tuple[str, ...]]


def make_parts(
    cohort: Cohort,
    scans: Sequence[Scan],
    *,
    method: str,
    shares: Mapping[str, float],
    folds: int,
    stratify: Sequence[str],
    seed: int,
) -> SplitFile:
    """The splits of a cohort, by patient.

    Args:
        cohort: whose scans they are.
        scans: each once.
        method: one of METHODS. `site` tests on one site after the other, on patients of that site
            alone; patients of several sites are left out. `temporal` puts a patient where the last
            of their recordings belongs, so that nothing that trains is later than what tests.
        shares: of train, validation and test; of `random` and `temporal`. `site` takes the share
            of validation from each site that trains.
        folds: of `kfold`.
        stratify: outcomes of which each part is to have its share; of all but the last two.
        seed: of the deal.

    Raises:
        InputError: an unknown method or outcome, too few patients, sites or dates.
    """
    if method not in METHODS:
        raise InputError(f"config.method is {method!r}; there are {', '.join(METHODS)}")
    # A config comes in the order of the alphabet, and parts by date need the order of time.
    shares = {role: shares[role] for role in ROLES}
    groups = sorted({scan.group for scan in scans})
    strata = _strata(cohort, scans, groups, stratify)
    facts: dict[str, Any] = {"name": method}
    left_out: tuple[str, ...] = ()
    rounds: tuple[Round, ...] = simple_round()
    if method in ("random", "kfold", "site"):
        facts |= {"seed": seed, "stratify": list(stratify)}
    if method in ("random", "temporal", "site"):
        facts["shares"] = dict(shares)
    match method:
        case "random":
            parts = _dealt(groups, strata, shares, seed)
        case "kfold":
            if folds < _FEWEST_FOLDS:
                raise InputError(f"config.folds is {folds}; at least {_FEWEST_FOLDS} are needed")
            facts["folds"] = folds
            equal = {f"fold{number}": 1 / folds for number in range(1, folds + 1)}
            parts = _dealt(groups, strata, equal, seed)
            rounds = fold_rounds(equal)
        case "site":
            parts, left_out, rounds = _by_site(scans, strata, shares, seed)
        case "temporal":
            parts, facts["last_days"] = _by_date(scans, groups, shares)
        case _:
            parts = _given(scans)
    source = cohort.description.source
    return SplitFile(source, cohort.mark, facts, parts, left_out, rounds)


def _dealt(
    groups: Sequence[str], strata: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> Parts:
    names = deal_by_stratum(groups, [strata[group] for group in groups], shares=shares, seed=seed)
    return _as_parts(groups, names.tolist(), list(shares))


def _as_parts(groups: Sequence[str], names: Sequence[str], order: Sequence[str]) -> Parts:
    return {
        name: tuple(group for group, found in zip(groups, names, strict=True) if found == name)
        for name in order
    }


def _strata(
    cohort: Cohort, scans: Sequence[Scan], groups: Sequence[str], stratify: Sequence[str]
) -> dict[str, str]:
    """Of every patient, in words, the outcomes that parts are to share alike."""
    outcomes = cohort.listing.outcomes
    rows = [scan.group for scan in scans]
    found = []
    for name in stratify:
        if name not in outcomes:
            known_names = ", ".join(outcomes) or "none"
            raise InputError(f"config.stratify names {name!r}; the outcomes are {known_names}")
        if not outcomes[name].is_number:
            values = [scan.features["labels"][name] for scan in scans]
            sets = [value if isinstance(value, list) else [value] for value in values]
            words = [
                [str(i) for i in some] if known(value) else []
                for some, value in zip(sets, values, strict=True)
            ]
            found.append(rarest_classes(rows, words))
            continue
        targets = [scan.features["targets"][name] for scan in scans]
        if outcomes[name].type == "time-to-event":
            words = [[str(target["event"])] if known(target) else [] for target in targets]
            found.append(rarest_classes(rows, words))
        found.append(quarters(rows, [next(iter(target.values())) for target in targets]))
    return {group: "/".join(one[group] for one in found) for group in groups}


def _by_site(
    scans: Sequence[Scan], strata: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> tuple[Parts, tuple[str, ...], tuple[Round, ...]]:
    sites: dict[str, set[str]] = {}
    for scan in scans:
        sites.setdefault(scan.group, set()).add(scan.features["site"])
    if any("" in some for some in sites.values()):
        raise InputError(
            "some scans have no site: fill the column, or name it as columns.site in cohort.toml"
        )
    left_out = tuple(sorted(group for group, some in sites.items() if len(some) > 1))
    names = sorted({site for some in sites.values() for site in some})
    words = {site: re.sub(r"\W+", "_", site).strip("_").lower() for site in names}
    # Each site is two parts.
    called = {f"{word}{ending}" for word in words.values() for ending in ("", "_validation")}
    if len(names) < 2 or len(called) < 2 * len(names) or "" in words.values():
        raise InputError(
            f"the sites are {names}: expected two or more, told apart by their letters"
        )
    validation = shares["validation"]
    parts: Parts = {}
    for site in names:
        here = sorted(group for group, some in sites.items() if some == {site})
        of_part = {words[site]: 1 - validation, f"{words[site]}_validation": validation}
        parts |= _dealt(here, strata, of_part, seed)
    rounds = tuple(
        {
            "train": tuple(words[other] for other in names if other != site),
            "validation": tuple(f"{words[other]}_validation" for other in names if other != site),
            "test": (words[site], f"{words[site]}_validation"),
        }
        for site in names
    )
    return parts, left_out, rounds


def _by_date(
    scans: Sequence[Scan], groups: Sequence[str], shares: Mapping[str, float]
) -> tuple[Parts, dict[str, str]]:
    last: dict[str, str] = {}
    for scan in scans:
        day = scan.features["recorded_on"]
        if not day:
            raise InputError(
                f"{scan.place} has no date that is understood: temporal splits need "
                "recorded_on, as 2024-03-01, in every row"
            )
        last[scan.group] = max(day, last.get(scan.group, ""))
    names, last_days = deal_by_date([last[group] for group in groups], shares=shares)
    return _as_parts(groups, names.tolist(), list(shares)), last_days


def _given(scans: Sequence[Scan]) -> Parts:
    if not any(scan.split for scan in scans):
        raise InputError("the table gives no splits: fill its column, or choose another method")
    for finding in check_splits(scans):
        raise InputError(f"{finding.place}: {finding.detail}; see configs/verify.py")
    split_of = {scan.group: SPLIT_NAMES[scan.split] for scan in scans}
    return _as_parts(list(split_of), list(split_of.values()), ("train", "validation", "test"))
