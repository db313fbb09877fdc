"""What pre-training and fine-tuning share: from a loss function to a trained state in a workdir."""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import optax
from jax.sharding import Mesh

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.peak import device_peak
from ecgmae_jax.training import loop
from ecgmae_jax.training.checkpointer import Checkpointer
from ecgmae_jax.training.logs import MetricsWriter
from ecgmae_jax.training.preemption import StopRequest
from ecgmae_jax.training.state import TrainState, abstract_state
from ecgmae_jax.training.steps import LossFn, compile_train_step, make_train_step

PEAK_LR_BATCH = 256  # The recipes state the learning rate for this many examples a step.


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Epochs as steps.

    Attributes:
        total: steps of the whole run.
        warmup: steps of it during which the learning rate rises.
        peak_lr: the recipe's rate times batch size / 256.
    """

    total: int
    warmup: int
    peak_lr: float


def make_epoch_schedule(
    *, epochs: float, warmup_epochs: float, num_examples: int, batch_size: int, base_lr: float
) -> Schedule:
    """The schedule of a run over `num_examples`; an epoch is rounded to whole batches only once.

    Raises:
        InputError: no batch, or numbers of epochs that no run has.
    """
    if batch_size < 1 or not 0 < epochs < math.inf or not 0 <= warmup_epochs < math.inf:
        raise InputError(
            f"config.loader.batch_size is {batch_size}, config.epochs {epochs}, config."
            f"warmup_epochs {warmup_epochs}; expected a batch of at least 1, more than 0 epochs, "
            "and a warm-up of 0 or more"
        )
    return Schedule(
        total=max(1, round(epochs * num_examples / batch_size)),
        warmup=round(warmup_epochs * num_examples / batch_size),
        peak_lr=base_lr * batch_size / PEAK_LR_BATCH,
    )


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of the loop.

    Attributes:
        init_params: key -> parameters of the right shapes.
        first_state: places and shapes of a state -> the state that a new run starts from.
        batches_from: step -> the batches that follow it.
        meta: saved with every checkpoint.
        best_metric: by which the best checkpoint is chosen.
        flops_per_example: operations of the model's own products in training on one example.
        dtype: of those products.
        enough: whether the run is to end after the evaluation it is given.
    """

    init_params: Callable[[jax.Array], Any]
    first_state: Callable[[TrainState], TrainState]
    loss_fn: LossFn
    optimizer: optax.GradientTransformation
    learning_rate: optax.Schedule
    batches_from: Callable[[int], Iterator[Mapping[str, np.ndarray]]]
    evaluators: Sequence[loop.Evaluator]
    meta: Mapping[str, Any]
    best_metric: str
    lowest_is_best: bool
    total_steps: int
    batch_size: int
    flops_per_example: float
    dtype: str
    accumulate: int
    every: loop.Every
    enough: loop.Enough = loop.never


def peak_examples_per_second(job: Job) -> float:
    """The rate at which the devices would do nothing but the model's own products."""
    return device_peak(job.dtype).flops_per_second * jax.device_count() / job.flops_per_example


def train(job: Job, *, workdir: pathlib.Path, mesh: Mesh, seed: int) -> TrainState:
    """Continues from the newest checkpoint in the workdir, or starts; returns the last state."""
    like = abstract_state(job.init_params, job.optimizer, mesh=mesh)
    key = jax.random.key(seed)
    with (
        StopRequest() as stop,
        Checkpointer(
            workdir / "checkpoints",
            meta=job.meta,
            best_metric=job.best_metric,
            lowest_is_best=job.lowest_is_best,
        ) as checkpointer,
    ):
        if checkpointer.latest_step is None:
            state = job.first_state(like)
            if not job.total_steps:
                checkpointer.save(state, metrics={})
        else:
            state = checkpointer.restore(like)
        step = make_train_step(
            job.loss_fn, job.optimizer, learning_rate=job.learning_rate, accumulate=job.accumulate
        )
        start = int(state.step)
        with MetricsWriter(
            workdir,
            start_step=start,
            total_steps=job.total_steps,
            examples_per_step=job.batch_size,
            peak_examples_per_second=peak_examples_per_second(job),
        ) as writer:
            if start:
                writer.say(f"continuing from step {start} of {job.total_steps}")
            return loop.run(
                state,
                compile_train_step(step, like=like),
                job.batches_from(start),
                mesh=mesh,
                evaluators=job.evaluators,
                checkpointer=checkpointer,
                writer=writer,
                stop=stop,
                every=job.every,
                total_steps=job.total_steps,
                enough=job.enough,
                key=key,
            )
