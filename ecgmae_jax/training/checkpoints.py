"""Checkpoints on disk, by Orbax: parts `params`, `opt_state`, `step` and `meta` (JSON).

A step is written under a temporary name and renamed when it is whole, so an interrupted one is
never taken for a checkpoint. Arrays are read back onto whatever mesh they are asked for.
"""

import dataclasses
import math
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree
from orbax.checkpoint import args
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.state import TrainState
from ecgmae_jax.training.trees import differences, fingerprint

# Key among a step's metrics: the more the better, absent where the step was not judged.
_SCORE = "score"


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


class Checkpointer:
    """Saves states in the background and keeps the latest and the best.

    Use it as a context manager: leaving it waits for what is still being written. In a job of
    several processes each makes the same calls.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        meta: Mapping[str, Any],
        best_metric: str,
        lowest_is_best: bool = True,
    ):
        """Opens or makes the folder, and clears away what an interrupted save left there.

        Args:
            folder: gets one sub-folder a step, named by its number.
            meta: anything that JSON holds; saved with every step.
            best_metric: name among the metrics given to `save`; a step without it is never best.
            lowest_is_best: whether less of that metric is better.
        """
        self._meta = dict(meta)
        self._best_metric = best_metric
        self._sign = -1.0 if lowest_is_best else 1.0
        # Two of the latest: the one before the newest survives what may happen to the newest.
        kept = AnyPreservationPolicy([LatestN(2), BestN(get_metric_fn=_score, n=1)])
        options = ocp.CheckpointManagerOptions(
            best_fn=_score, preservation_policy=kept, cleanup_tmp_directories=True
        )
        self._manager = _open(folder, options)

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, *exception: object) -> None:
        self._manager.close()

    @property
    def latest_step(self) -> int | None:
        """The newest step saved; None before the first."""
        return self._manager.latest_step()

    def save(self, state: TrainState, *, metrics: Mapping[str, float]) -> None:
        """Starts to save the state under its step; returns once its arrays may be overwritten.

        Args:
            state: arrays on any mesh.
            metrics: measured on this state; may be empty.

        Raises:
            OSError: this save or the one before could not be written.
        """
        value = metrics.get(self._best_metric, math.nan)
        score = {_SCORE: self._sign * value} if math.isfinite(value) else {}
        parts = args.Composite(
            params=args.StandardSave(state.params),
            opt_state=args.StandardSave(state.opt_state),
            step=args.JsonSave({"step": int(state.step)}),
            meta=args.JsonSave(self._meta),
        )
        self._manager.save(int(state.step), args=parts, metrics=dict(metrics) | score, force=True)

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._manager.wait_until_finished()

    def restore(self, like: TrainState) -> TrainState:
        """The newest state, each array where `like` (from `abstract_state`) puts it.

        Raises:
            InputError: there is no checkpoint, or it is of another model or optimizer.
        """
        step = self.latest_step
        if step is None:
            raise InputError(f"{self._manager.directory} holds no checkpoint to continue from")
        for part in ("params", "opt_state"):
            _check_same(self._manager, step, part, expected=getattr(like, part))
        parts = args.Composite(
            params=args.StandardRestore(like.params),
            opt_state=args.StandardRestore(like.opt_state),
            step=args.JsonRestore(),
        )
        restored = self._manager.restore(step, args=parts)
        count = jax.device_put(np.int32(restored["step"]["step"]), like.step.sharding)
        return TrainState(restored["params"], restored["opt_state"], count)


def load_params(folder: pathlib.Path, *, which: str = "last") -> Checkpoint:
    """The parameters of one saved step, without the model's code or the optimizer's state.

    Args:
        folder: that of a `Checkpointer`.
        which: `last`, or `best` by the metric that the run was judged by.

    Raises:
        InputError: there is no such checkpoint.
    """
    if which not in ("last", "best"):
        raise InputError(f"checkpoint {which!r} of {folder}; expected 'last' or 'best'")
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; expected the checkpoints of a training run")
    options = ocp.CheckpointManagerOptions(best_fn=_score, create=False)
    with _open(folder, options) as manager:
        step = manager.latest_step() if which == "last" else _best_step(manager)
        if step is None:
            raise InputError(f"{folder} holds no {which} checkpoint; let the training save one")
        # Arrays that take no memory tell Orbax to read numpy arrays of this shape and type.
        like = jax.tree.map(
            lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape),
            _saved_tree(manager, step, "params"),
        )
        parts = args.Composite(params=args.StandardRestore(like), meta=args.JsonRestore())
        restored = manager.restore(step, args=parts)
    params = restored["params"]
    return Checkpoint(params, restored["meta"], step, fingerprint(params))


def _open(folder: pathlib.Path, options: ocp.CheckpointManagerOptions) -> ocp.CheckpointManager:
    registry = ocp.handlers.create_default_handler_registry(
        params=ocp.StandardCheckpointHandler(),
        opt_state=ocp.StandardCheckpointHandler(),
        step=ocp.JsonCheckpointHandler(),
        meta=ocp.JsonCheckpointHandler(),
    )
    return ocp.CheckpointManager(folder.absolute(), options=options, handler_registry=registry)


def _score(metrics: Mapping[str, float]) -> float:
    return metrics.get(_SCORE, -math.inf)


def _best_step(manager: ocp.CheckpointManager) -> int | None:
    scores = {step: _score(manager.metrics(step) or {}) for step in manager.all_steps()}
    judged = [step for step, score in scores.items() if score > -math.inf]
    return max(judged, key=lambda step: scores[step], default=None)


def _saved_tree(manager: ocp.CheckpointManager, step: int, part: str) -> PyTree:
    """Shape and type of every array of a saved part."""
    found = manager.item_metadata(step).get(part)
    if found is None:
        folder = manager.directory / str(step)
        raise InputError(f"{folder} is damaged: no {part}; move it away to use the one before")
    return found.tree


def _check_same(manager: ocp.CheckpointManager, step: int, part: str, *, expected: PyTree) -> None:
    different = differences(_saved_tree(manager, step, part), expected)
    if different:
        more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
        raise InputError(
            f"{manager.directory / str(step) / part} is of another model or optimizer: "
            f"{different[0]}{more}; use the config it was made with, or another workdir"
        )
