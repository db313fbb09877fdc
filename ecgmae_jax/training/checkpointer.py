"""Saving the states of a run in the background, and the state that a run continues from."""

import contextlib
import math
import pathlib
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from orbax.checkpoint import args

from ecgmae_jax.errors import CheckpointNotSaved, DamagedCheckpoints, InputError
from ecgmae_jax.training import checkpoint_manager, manifests
from ecgmae_jax.training.checkpoint_manager import DISCARDED, SCORE, UNFINISHED
from ecgmae_jax.training.state import TrainState


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
        """Opens or makes the folder, sets damaged steps aside and clears half steps away.

        Args:
            folder: gets one sub-folder a step, named by its number.
            meta: anything that JSON holds; saved with every step.
            best_metric: name among the metrics given to `save`; a step without it is never best.
            lowest_is_best: whether less of that metric is better.

        Raises:
            DamagedCheckpoints: there are steps and not one is whole.
        """
        self._meta = dict(meta)
        self._best_metric = best_metric
        self._sign = -1.0 if lowest_is_best else 1.0
        self._folder = folder
        self._saving: tuple[int, int] | None = None
        if jax.process_index() == 0:
            manifests.set_damaged_aside(folder)
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("damaged steps are set aside")
        aside = manifests.steps_aside(folder)
        if aside and not manifests.saved_steps(folder):
            raise DamagedCheckpoints(
                f"no checkpoint in {folder} is whole: {', '.join(aside)}; copy a whole one there, "
                "or start in another workdir"
            )
        self._manager = checkpoint_manager.open_manager(folder)
        self._remove_discarded()

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, *exception: object) -> None:
        self._manager.close()
        self._remove_discarded()

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
            CheckpointNotSaved: this save or the one before could not be written.
        """
        self.wait()
        value = metrics.get(self._best_metric, math.nan)
        score = {SCORE: self._sign * value} if math.isfinite(value) else {}
        parts = args.Composite(
            params=args.StandardSave(state.params),
            opt_state=args.StandardSave(state.opt_state),
            step=args.JsonSave({"step": int(state.step)}),
            meta=args.JsonSave(self._meta),
        )
        size = sum(leaf.nbytes for leaf in jax.tree.leaves((state.params, state.opt_state)))
        self._saving = int(state.step), size
        with self._failure_named():
            if _free_bytes(self._folder) < size:
                raise OSError("No space left on device")
            finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
            self._manager.save(int(state.step), args=parts, metrics=finite | score, force=True)

    def check(self) -> None:
        """Notices that the save in the background has failed, without waiting for it.

        Raises:
            CheckpointNotSaved: it has.
        """
        if self._saving and not self._manager.is_saving_in_progress():
            self.wait()

    def wait(self) -> None:
        """Returns when everything is on disk.

        Raises:
            CheckpointNotSaved: something could not be written.
        """
        with self._failure_named():
            self._manager.wait_until_finished()
        self._saving = None
        self._remove_discarded()

    def restore(self, like: TrainState) -> TrainState:
        """The newest state, each array where `like` (from `abstract_state`) puts it.

        Raises:
            InputError: there is no checkpoint, or it is of another model or optimizer.
        """
        step = self.latest_step
        if step is None:
            raise InputError(f"{self._manager.directory} holds no checkpoint to continue from")
        for part in ("params", "opt_state"):
            checkpoint_manager.check_same(self._manager, step, part, expected=getattr(like, part))
        parts = args.Composite(
            params=args.StandardRestore(like.params),
            opt_state=args.StandardRestore(like.opt_state),
            step=args.JsonRestore(),
        )
        restored = self._manager.restore(step, args=parts)
        count = jax.device_put(np.int32(restored["step"]["step"]), like.step.sharding)
        return TrainState(restored["params"], restored["opt_state"], count)

    @contextlib.contextmanager
    def _failure_named(self) -> Iterator[None]:
        """Says what could not be saved, where, and how much room it takes; leaves no half of it."""
        try:
            yield
        except Exception as fault:
            if self._saving is None:
                raise
            (step, size), self._saving = self._saving, None
            _remove_unfinished(self._folder / f"{step}{UNFINISHED}")
            raise CheckpointNotSaved(
                f"step {step} could not be saved in {self._folder}, where "
                f"{_free_bytes(self._folder):,} bytes are free and it needs {size:,}: "
                f"{' '.join(str(fault).split())[:300]}; the steps before it are untouched: see "
                "to the disk and start again"
            ) from fault

    def _remove_discarded(self) -> None:
        if jax.process_index() == 0:
            shutil.rmtree(self._folder / DISCARDED, ignore_errors=True)


def _free_bytes(folder: pathlib.Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # The folder is gone, or what it lay on.
        return 0


def _remove_unfinished(folder: pathlib.Path) -> None:
    """Removes a step whose other files may still be being written: nobody told their threads."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)
