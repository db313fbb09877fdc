"""Tested on whom one was trained on: what models leave about it, and what embeddings say of it."""

import pathlib
import sys
from collections.abc import Iterable, Sequence

import jax

from ecgmae_jax.data.pretraining_overlap import (
    FILE,
    Overlap,
    check_overlap,
    dataset_identities,
    identities_npy,
    joined,
    read_identities,
)
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.publishing import write_whole


def keep_identities(workdir: pathlib.Path, trained: Sequence[Dataset], *, before: str = "") -> None:
    """Leaves in the workdir whom its model knows: from this training, and from the one before.

    Args:
        trained: the splits of this training.
        before: the workdir of the pre-training; empty for none.
    """
    known = [dataset_identities(one) for one in trained]
    kept = pathlib.Path(before).expanduser() / FILE
    if before and kept.is_file():
        known.append(read_identities(kept))
    if jax.process_index() == 0:
        write_whole(workdir / FILE, identities_npy(*known))


def check_embeddings(records: Iterable[Embeddings], tests: Sequence[str], *, allowed: bool) -> str:
    """What every output has to say of test patients whom an encoder was pre-trained on.

    Args:
        records: whose metadata say so, by split, as the embed program wrote it.
        tests: the splits that are tested.
        allowed: whether the run goes on all the same.

    Raises:
        InputError: such patients, and `allowed` is false.
    """
    notes = set()
    for found in records:
        if found.metadata.get("encoder") == "MAE":
            by_split = found.metadata.get("pretraining_overlap", {})
            overlap = joined([Overlap(**by_split[split]) for split in tests if by_split.get(split)])
            notes.add(check_overlap(overlap, allowed=allowed, setting="--config.allow_overlap"))
    note = "; ".join(sorted(notes - {""}))
    if note:
        print(note, file=sys.stderr)
    return note
