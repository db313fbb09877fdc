"""Orbax's manager of a folder of steps, set up so that a step and its manifest appear as one."""

import asyncio
import math
import pathlib
from collections.abc import Mapping

import orbax.checkpoint as ocp
from jaxtyping import PyTree
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN
from orbax.checkpoint.path import atomicity

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.manifests import write_manifest
from ecgmae_jax.training.trees import differences

# Key among a step's metrics: the more the better, absent where the step was not judged.
SCORE = "score"
# Steps no longer kept are renamed into this folder, all at once, and then removed: a process
# killed on the way leaves no half of a step.
DISCARDED = "discarded"
# What a step is called until it is whole.
UNFINISHED = atomicity.TMP_DIR_SUFFIX


class _StepWithManifest(atomicity.AtomicRenameTemporaryPath):
    """A step whose manifest is written last thing before the rename that makes it a step."""

    async def finalize(self) -> None:
        # The parts of a step are paths of this class as well.
        if self.get_final().name.isdigit():
            await asyncio.to_thread(write_manifest, pathlib.Path(self.get()))
        await super().finalize()


def open_manager(folder: pathlib.Path, *, read_only: bool = False) -> ocp.CheckpointManager:
    """The manager of the folder; unless it only reads, it makes it and clears half steps away."""
    if read_only:
        options = ocp.CheckpointManagerOptions(best_fn=score_of, create=False)
    else:
        # Two of the latest: the one before the newest survives what may happen to the newest.
        kept = AnyPreservationPolicy([LatestN(2), BestN(get_metric_fn=score_of, n=1)])
        options = ocp.CheckpointManagerOptions(
            best_fn=score_of,
            preservation_policy=kept,
            cleanup_tmp_directories=True,
            temporary_path_class=_StepWithManifest,
            todelete_subdir=DISCARDED,
        )
    registry = ocp.handlers.create_default_handler_registry(
        params=ocp.StandardCheckpointHandler(),
        opt_state=ocp.StandardCheckpointHandler(),
        step=ocp.JsonCheckpointHandler(),
        meta=ocp.JsonCheckpointHandler(),
    )
    return ocp.CheckpointManager(folder.absolute(), options=options, handler_registry=registry)


def score_of(metrics: Mapping[str, float]) -> float:
    """How good a step is; minus infinity where it was not judged."""
    return metrics.get(SCORE, -math.inf)


def best_step(manager: ocp.CheckpointManager) -> int | None:
    """The step of the highest score; None if none was judged."""
    scores = {step: score_of(manager.metrics(step) or {}) for step in manager.all_steps()}
    judged = [step for step, score in scores.items() if score > -math.inf]
    return max(judged, key=lambda step: scores[step], default=None)


def saved_tree(manager: ocp.CheckpointManager, step: int, part: str) -> PyTree:
    """Shape and type of every array of a saved part."""
    return manager.item_metadata(step)[part].tree


def check_same(manager: ocp.CheckpointManager, step: int, part: str, *, expected: PyTree) -> None:
    """Refuses a saved part that has other arrays than `expected`, naming the first of them."""
    different = differences(saved_tree(manager, step, part), expected)
    if different:
        more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
        raise InputError(
            f"{manager.directory / str(step) / part} is of another model or optimizer: "
            f"{different[0]}{more}; use the config it was made with, or another workdir"
        )
