"""Splits by patient: assignment by hash, and the proof that no patient is in two."""

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
    if any(share < 0 for share in shares.values()) or not math.isclose(sum(shares.values()), 1):
        raise InputError(
            f"the shares of the splits are {dict(shares)} and sum to {sum(shares.values()):g}: "
            "give shares from 0 to 1 that sum to 1"
        )
    names = np.array(list(shares))
    upper = np.cumsum(list(shares.values()))[:-1]
    unique, rows = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    position = np.array([_position(group, seed) for group in unique])
    return names[np.searchsorted(upper, position, side="right")][rows]


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


def _position(group: str, seed: int) -> float:
    """A number in [0, 1), uniform over groups."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
