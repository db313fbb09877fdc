"""The training loop, the only one: pre-training and fine-tuning both run here."""

import collections
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import PRNGKeyArray, PyTree

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.checkpointer import Checkpointer
from ecgmae_jax.training.feeding import STALL_S, batch_digest, placed, watched
from ecgmae_jax.training.logs import MetricsWriter
from ecgmae_jax.training.preemption import StopRequest, StopRequested
from ecgmae_jax.training.skipping import SkippedSteps
from ecgmae_jax.training.state import TrainState
from ecgmae_jax.training.steps import TrainStep

Evaluator = Callable[[PyTree], dict[str, float]]
Enough = Callable[[int, Mapping[str, float]], bool]


@dataclasses.dataclass(frozen=True)
class Every:
    """Numbers of steps between two logs, two evaluations, and two checkpoints.

    The last step has all three. A checkpoint can be the best only at a step that is evaluated.
    """

    log: int
    evaluate: int
    checkpoint: int

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if getattr(self, field.name) < 1:
                raise InputError(f"every.{field.name} is {getattr(self, field.name)}; at least 1")


def never(step: int, values: Mapping[str, float]) -> bool:
    """No evaluation is reason enough to end a run."""
    del step, values
    return False


def run(
    state: TrainState,
    step: TrainStep,
    batches: Iterator[Mapping[str, np.ndarray]],
    *,
    mesh: Mesh,
    evaluators: Sequence[Evaluator],
    checkpointer: Checkpointer,
    writer: MetricsWriter,
    stop: StopRequest,
    every: Every,
    total_steps: int,
    key: PRNGKeyArray,
    enough: Enough = never,
    stall_s: float = STALL_S,
) -> TrainState:
    """Trains from wherever `state` stands to `total_steps`, or until it is asked to stop.

    Asked to stop, it saves the state after the current step and returns it; started again from
    there it goes on as if nothing had happened, because a step depends on the state, the batch and
    `fold_in(key, step)` alone. An evaluation under way is left; what it had is kept.

    Args:
        state: gone after the call; use the one returned.
        step: compiled (`compile_train_step`).
        batches: the batches that follow `state.step`, those of this process.
        mesh: where they are placed.
        evaluators: each gets the parameters and gives named numbers.
        checkpointer: saves at steps due and at the end.
        writer: logs at steps due, with the digest of the batch; reads numbers off the device then.
        stop: asked after every step.
        every: when what is due.
        total_steps: updates when the run is complete.
        key: the run's; every step gets its own from it.
        enough: asked after each evaluation, with its step and what is known of it, whether the run
            is to end there.
        stall_s: seconds to wait for a batch before the process ends.

    Raises:
        NonFiniteLoss: too many steps in a row were skipped.
        CheckpointNotSaved: noticed within a step of the failure.
        InputError: the batches end too early.
    """
    digests: collections.deque[str] = collections.deque()
    feed = placed(_noted(watched(batches, stall_s=stall_s), digests), mesh)
    skipped = SkippedSteps(writer)
    running = {}
    for i in range(int(state.step) + 1, total_steps + 1):
        with writer.waiting():
            batch = next(feed, None)
        if batch is None:
            raise InputError(f"the data end before step {i} of {total_steps}; repeat them")
        state, metrics = step(state, batch, jax.random.fold_in(key, i))
        # The device has one step to go on with while the next batch is read; not more, or batches
        # pile up in its memory.
        skipped.see(i - 1, jax.block_until_ready(running).get("skipped"))
        checkpointer.check()
        running, digest = metrics, digests.popleft()
        stopping, last = stop.requested(i), i == total_steps
        log, evaluate, save = (
            last or i % n == 0 for n in (every.log, every.evaluate, every.checkpoint)
        )
        if not (log or evaluate or save or stopping):
            continue
        values = writer.read(i, metrics)
        values["skipped"] += skipped.total
        if evaluate and not stopping:
            stopping = not _evaluated(evaluators, state, values, stop)
        if log or evaluate:
            writer.write(i, values, batch=digest)
        if save or stopping:
            checkpointer.save(state, metrics=values)
        writer.restart_clock()
        if stopping and not last:
            writer.say(f"asked to stop: saving step {i} of {total_steps}; start again to go on")
        if stopping or (evaluate and enough(i, values)):
            break
    skipped.see(int(state.step), running.get("skipped"))
    checkpointer.wait()
    return state


def _noted(batches: Iterator[Mapping[str, np.ndarray]], digests: collections.deque[str]):
    for batch in batches:
        digests.append(batch_digest(batch))
        yield batch


def _evaluated(
    evaluators: Sequence[Evaluator], state: TrainState, values: dict[str, float], stop: StopRequest
) -> bool:
    """Adds to `values` what the evaluators find; False if the run was asked to stop meanwhile."""
    try:
        with stop.interrupting():
            for evaluator in evaluators:
                values |= evaluator(state.params)
    except StopRequested:
        return False
    return True
