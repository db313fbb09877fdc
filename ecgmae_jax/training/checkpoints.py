"""Checkpoints on disk, by Orbax: parts `params`, `opt_state`, `step` and `meta` (JSON).

A step is written under a temporary name and renamed when it is whole, so an interrupted one is
never taken for a checkpoint; it carries a manifest, so a damaged one is not either. Arrays are
read back onto whatever mesh they are asked for.
"""

import dataclasses
import pathlib
from typing import Any

import jax
import numpy as np
from orbax.checkpoint import args

from ecgmae_jax.errors import DamagedCheckpoints, InputError
from ecgmae_jax.training import checkpoint_manager, manifests
from ecgmae_jax.training.trees import fingerprint


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Trained parameters and what was known about them when they were saved.

    Attributes:
        params: nested dicts of numpy arrays.
        meta: as given to `Checkpointer`.
        step: updates made.
        fingerprint: of `params`.
    """

    params: dict[str, Any]
    meta: dict[str, Any]
    step: int
    fingerprint: str


def load_params(folder: pathlib.Path, *, which: str = "last") -> Checkpoint:
    """The parameters of one saved step, without the model's code or the optimizer's state.

    Args:
        folder: that of a `Checkpointer`.
        which: `last`, or `best` by the metric that the run was judged by.

    Raises:
        InputError: there is no such checkpoint.
        DamagedCheckpoints: its files are not those that were saved.
    """
    if which not in ("last", "best"):
        raise InputError(f"checkpoint {which!r} of {folder}; expected 'last' or 'best'")
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; expected the checkpoints of a training run")
    # The newest first of all: Orbax reads its metrics when it opens the folder.
    for newest in manifests.saved_steps(folder)[-1:]:
        _require_whole(newest)
    with checkpoint_manager.open_manager(folder, read_only=True) as manager:
        last = which == "last"
        step = manager.latest_step() if last else checkpoint_manager.best_step(manager)
        if step is None:
            raise InputError(f"{folder} holds no {which} checkpoint; let the training save one")
        _require_whole(folder / str(step))
        # Arrays that take no memory tell Orbax to read numpy arrays of this shape and type.
        like = jax.tree.map(
            lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape),
            checkpoint_manager.saved_tree(manager, step, "params"),
        )
        parts = args.Composite(params=args.StandardRestore(like), meta=args.JsonRestore())
        restored = manager.restore(step, args=parts)
    params = restored["params"]
    return Checkpoint(params, restored["meta"], step, fingerprint(params))


def _require_whole(step: pathlib.Path) -> None:
    fault = manifests.damage(step, parts=("params/", "meta/", "metrics/"))
    if fault:
        raise DamagedCheckpoints(
            f"checkpoint {step} is damaged: {fault}; copy a whole one there, or go on with the "
            "training: it sets this one aside and continues from the one before"
        )
