"""Splits by patient: by hash, dealt by stratum, by date; and the proof that nobody is in two."""

import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ecgmae_jax.errors import InputError


def assign_by_patient(
    groups: Sequence[str] | np.ndarray, *, shares: Mapping[str, float], seed: int
) -> np.ndarray:
    """Name of the split of every row, equal for equal groups.

    A patient's split depends on the group, the shares and the seed alone: adding or removing other
    patients moves nobody. The shares therefore hold on average over patients, not exactly.

    Args:
        groups: one per row, the patient's hash.
        shares: of the patients, by name of the split; they sum to one.
        seed: another seed is another assignment.
    """
    _check_shares(shares)
    names = np.array(list(shares))
    upper = np.cumsum(list(shares.values()))[:-1]
    unique, rows = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    position = np.array([_position(group, seed) for group in unique])
    return names[np.searchsorted(upper, position, side="right")][rows]


def deal_by_stratum(
    patients: Sequence[str], strata: Sequence[str], *, shares: Mapping[str, float], seed: int
) -> np.ndarray:
    """Name of the split of every patient: each split has its share of all and of each stratum.

    Shares hold to within a patient or so, overall and in each stratum. Who of a stratum goes where
    depends on patient and seed alone, not on the order.

    Args:
        patients: hashes, each once.
        strata: one per patient, such as the outcome.
        shares: of the patients, by name of the split; they sum to one.
        seed: another seed is another deal.

    Raises:
        InputError: shares that are none, or a split that would stay empty.
    """
    _check_shares(shares)
    names, wanted = list(shares), np.array(list(shares.values()))
    order = sorted(range(len(patients)), key=lambda i: (strata[i], _position(patients[i], seed)))
    dealt = np.zeros(len(names))
    result = np.empty(len(patients), dtype=f"<U{max(map(len, names))}")
    for number, index in enumerate(order, start=1):
        # To the split that lies furthest behind its share.
        behind = int(np.argmax(np.round(wanted * number - dealt, 9)))
        result[index] = names[behind]
        dealt[behind] += 1
    empty = [name for name in names if shares[name] > 0 and name not in result]
    if empty:
        raise InputError(
            f"{len(patients)} patients leave {empty[0]!r} of shares {dict(shares)} empty: make "
            "fewer or larger splits"
        )
    return result


def deal_by_date(
    dates: Sequence[str], *, shares: Mapping[str, float]
) -> tuple[np.ndarray, dict[str, str]]:
    """Name of the split of every patient, the earliest first, and the last day of each split.

    Patients of the same day stay together, so the shares hold as far as days allow.

    Args:
        dates: of every patient, as 2024-03-01.
        shares: of the patients, by name of the split in order of time.

    Raises:
        InputError: shares that are none, or a split that would stay empty.
    """
    _check_shares(shares)
    days = np.asarray(dates, dtype=str)
    in_order = np.sort(days)
    ends = np.round(np.cumsum(list(shares.values())) * len(days)).astype(int)
    last_days = [str(in_order[max(end, 1) - 1]) for end in ends]
    names = np.array(list(shares))
    result = names[np.searchsorted(last_days, days, side="left")]
    empty = [str(name) for name in names if name not in result]
    if empty:
        raise InputError(
            f"{len(days)} patients from {in_order[0]} to {in_order[-1]} leave {empty[0]!r} of "
            f"shares {dict(shares)} empty: too many of them have the same day"
        )
    return result, dict(zip(map(str, names), last_days, strict=True))


def rarest_classes(groups: Sequence[str], classes: Sequence[Sequence[str]]) -> dict[str, str]:
    """Of every patient the class of theirs that fewest patients have; empty where none is known.

    Args:
        groups: the patient of each row.
        classes: those of each row.
    """
    held: dict[str, set[str]] = {group: set() for group in groups}
    for group, some in zip(groups, classes, strict=True):
        held[group] |= set(some)
    counts: dict[str, int] = {}
    for some in held.values():
        for name in some:
            counts[name] = counts.get(name, 0) + 1
    return {
        group: min(sorted(some), key=lambda name: counts[name], default="")
        for group, some in held.items()
    }


def quarters(groups: Sequence[str], values: Sequence[float]) -> dict[str, str]:
    """Of every patient the quarter (0 to 3) that the mean of their values is in; empty if unknown.

    Args:
        groups: the patient of each row.
        values: NaN where unknown.
    """
    unique, rows = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    numbers = np.asarray(values, np.float64)
    known = ~np.isnan(numbers)
    count = np.bincount(rows[known], minlength=len(unique))
    total = np.bincount(rows[known], weights=numbers[known], minlength=len(unique))
    means = total / np.where(count, count, np.nan)
    if not known.any():
        return dict.fromkeys(map(str, unique), "")
    cuts = np.nanquantile(means, [0.25, 0.5, 0.75])
    places = np.searchsorted(cuts, means, side="right")
    return {
        str(group): str(place) if number else ""
        for group, place, number in zip(unique, places, count, strict=True)
    }


def check_disjoint(groups: Mapping[str, Iterable[str]]) -> None:
    """Raises InputError if a group (a patient's hash) is in two of the named splits."""
    unique = {name: set(members) for name, members in groups.items()}
    for first, second in itertools.combinations(unique, 2):
        shared = sorted(unique[first] & unique[second])
        if shared:
            some = ", ".join(shared[:3]) + (", ..." if len(shared) > 3 else "")
            raise InputError(
                f"{len(shared)} patients are in both {first!r} and {second!r} (groups {some}): "
                "split by patient"
            )


def _check_shares(shares: Mapping[str, float]) -> None:
    if any(share < 0 for share in shares.values()) or not math.isclose(sum(shares.values()), 1):
        raise InputError(
            f"the shares of the splits are {dict(shares)} and sum to {sum(shares.values()):g}: "
            "give shares from 0 to 1 that sum to 1"
        )


def _position(group: str, seed: int) -> float:
    """A number in [0, 1), uniform over groups."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
