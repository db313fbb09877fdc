"""The training loop, the only one: pre-training and fine-tuning both run here."""

import collections
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import PRNGKeyArray, PyTree

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.checkpoints import Checkpointer
from ecgmae_jax.training.logs import MetricsWriter
from ecgmae_jax.training.preemption import StopRequest
from ecgmae_jax.training.sharding import place_batch
from ecgmae_jax.training.state import TrainState
from ecgmae_jax.training.steps import TrainStep

Evaluator = Callable[[PyTree], dict[str, float]]


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
) -> TrainState:
    """Trains from wherever `state` stands to `total_steps`, or until it is asked to stop.

    Asked to stop, it saves the state after the current step and returns it; started again from
    there it goes on as if nothing had happened, because a step depends on the state, the batch and
    `fold_in(key, step)` alone.

    Args:
        state: gone after the call; use the one returned.
        step: compiled (`compile_train_step`).
        batches: the batches that follow `state.step`, those of this process.
        mesh: where they are placed.
        evaluators: each gets the parameters and gives named numbers.
        checkpointer: saves at steps due and at the end.
        writer: logs at steps due; reads numbers off the device only then.
        stop: asked after every step.
        every: when what is due.
        total_steps: updates when the run is complete.
        key: the run's; every step gets its own from it.

    Raises:
        NonFiniteLoss: noticed at the next step that is due for anything, before it is saved.
        InputError: the batches end too early.
    """
    feed = placed(batches, mesh)
    running = None
    for i in range(int(state.step) + 1, total_steps + 1):
        batch = next(feed, None)
        if batch is None:
            raise InputError(f"the data end before step {i} of {total_steps}; repeat them")
        state, metrics = step(state, batch, jax.random.fold_in(key, i))
        # The device has one step to go on with while the next batch is read; not more, or batches
        # pile up in its memory.
        jax.block_until_ready(running)
        running = metrics
        stopping, last = stop.requested(i), i == total_steps
        log, evaluate, save = (
            last or i % n == 0 for n in (every.log, every.evaluate, every.checkpoint)
        )
        if not (log or evaluate or save or stopping):
            continue
        values = writer.read(i, metrics)
        if evaluate and not stopping:
            for evaluator in evaluators:
                values |= evaluator(state.params)
        if log or evaluate:
            writer.write(i, values)
        if save or stopping:
            checkpointer.save(state, metrics=values)
        writer.restart_clock()
        if stopping and not last:
            writer.say(f"asked to stop: saving step {i} of {total_steps}; start again to go on")
            break
    checkpointer.wait()
    return state


def placed(
    batches: Iterator[Mapping[str, np.ndarray]], mesh: Mesh
) -> Iterator[dict[str, jax.Array]]:
    """The batches on the devices, each sent off one step before it is needed."""
    waiting = collections.deque()
    for batch in batches:
        waiting.append(place_batch(batch, mesh))
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting
