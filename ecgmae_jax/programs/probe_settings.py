"""What the config of a linear probe says, checked: files, penalties, resamples, draws."""

import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.demographics import AGE_AND_SEX
from ecgmae_jax.evaluation.readouts.further_readouts import READOUTS
from ecgmae_jax.evaluation.readouts.task import ProbeSettings

Fields = ml_collections.ConfigDict | Mapping[str, Any]


def check_settings(probe: Fields, bootstrap: Fields, *, seed: int) -> ProbeSettings:
    """The settings of the probes."""
    grid = tuple(float(c) for c in probe["grid"])
    if not grid or min(grid) <= 0:
        raise InputError(f"config.probe.grid is {grid}; give one or more values of C above 0")
    if probe["folds"] < 2:
        raise InputError(f"config.probe.folds is {probe['folds']}; at least 2 are needed")
    if bootstrap["resamples"] < 1 or not 0 < bootstrap["confidence"] < 1:
        raise InputError(
            f"config.bootstrap has {bootstrap['resamples']} resamples and confidence "
            f"{bootstrap['confidence']}; expected at least 1 and a share between 0 and 1"
        )
    return ProbeSettings(
        grid=grid,
        num_folds=probe["folds"],
        num_resamples=bootstrap["resamples"],
        confidence=bootstrap["confidence"],
        seed=seed,
    )


def parts_of(splits: Fields) -> dict[str, tuple[str, ...]]:
    """The splits of each part; there may be none for validation."""
    named = {part: tuple(splits[part]) for part in ("train", "validation", "test")}
    return {part: found for part, found in named.items() if found or part != "validation"}


def check_shares(few_shot: Fields) -> tuple[tuple[float, ...], int]:
    """The shares of the training patients, none for no curve, and how often each is drawn."""
    shares, draws = tuple(float(share) for share in few_shot["shares"]), few_shot["draws"]
    if shares and (min(shares) <= 0 or max(shares) > 1 or draws < 1):
        raise InputError(
            f"config.few_shot has the shares {shares} in {draws} draws; expected shares above 0 "
            "and up to 1, and at least 1 draw"
        )
    return shares, draws


def check_rows(
    rows: Mapping[str, str], order: Sequence[str], readouts: Mapping[str, Mapping[str, Any]]
) -> dict[str, pathlib.Path]:
    """The file of every row that is compared or read by a further readout, `order` first."""
    unknown = sorted(set(readouts) - set(READOUTS))
    if unknown:
        raise InputError(f"config.readouts names {unknown}; there are {[*READOUTS]}")
    used = [*order, *(row for found in readouts.values() for row in found["rows"])]
    absent = [name for name in used if name not in rows and name != AGE_AND_SEX]
    if absent or not set(order) & set(rows):
        raise InputError(
            f"config.order is {tuple(order)}, config.readouts reads {tuple(used[len(order) :])}, "
            f"config.rows has {sorted(rows)}; name the rows to compare, the one to compare with "
            "first"
        )
    odd = [name for name in used if not re.fullmatch(r"[\w+-]+", name)]
    if odd:
        raise InputError(f"config.rows: {odd} in names; use letters, digits, _, + and - alone")
    return {
        name: pathlib.Path(rows[name]).expanduser()
        for name in dict.fromkeys(used)
        if name != AGE_AND_SEX
    }
