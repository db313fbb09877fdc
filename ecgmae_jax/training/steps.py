"""One step of training or of evaluation, as a pure function that is then compiled."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PRNGKeyArray

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.feeding import watched
from ecgmae_jax.training.sharding import place_batch
from ecgmae_jax.training.state import TrainState

Params = Any
Batch = Mapping[str, Array]
Metrics = dict[str, Array]
LossFn = Callable[[Params, Batch, PRNGKeyArray], tuple[Array, Metrics]]
TrainStep = Callable[[TrainState, Batch, PRNGKeyArray], tuple[TrainState, Metrics]]


def make_train_step(
    loss_fn: LossFn,
    optimizer: optax.GradientTransformation,
    *,
    learning_rate: optax.Schedule,
    accumulate: int = 1,
) -> TrainStep:
    """A pure function (state, batch, key) -> (state, metrics) that makes one update.

    Where the loss or a gradient is no number, the step is counted and nothing else changes: neither
    parameters nor moments, nor the optimizer's own place in the schedule.

    The metrics are those of `loss_fn` and `loss`, `grad_norm` (global, before clipping),
    `learning_rate` and `skipped` (true where nothing changed), scalars on the device.

    Args:
        loss_fn: (params, batch, key) -> (mean loss over the examples, metrics).
        optimizer: its learning rate is inside it.
        learning_rate: the same schedule, to report.
        accumulate: micro-batches whose gradients are averaged into one update. The result is that
            of the whole batch where the loss is a mean over examples that weigh the same, as MAE's
            is with one mask ratio; a mean over a varying number of valid examples is not.
    """
    if accumulate < 1:
        raise InputError(f"accumulate is {accumulate}; expected 1 micro-batch or more")
    gradient = jax.value_and_grad(loss_fn, has_aux=True)
    if accumulate > 1:
        gradient = _accumulated(gradient, accumulate)

    def step(state: TrainState, batch: Batch, key: PRNGKeyArray) -> tuple[TrainState, Metrics]:
        (loss, metrics), grads = gradient(state.params, batch, key)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        grad_norm = optax.tree.norm(grads)
        finite = jnp.isfinite(loss) & jnp.isfinite(grad_norm)
        params, opt_state = jax.tree.map(
            lambda new, old: jnp.where(finite, new, old),
            (params, opt_state),
            (state.params, state.opt_state),
        )
        metrics = metrics | {
            "loss": loss,
            "grad_norm": grad_norm,
            "learning_rate": jnp.asarray(learning_rate(state.step)),
            "skipped": ~finite,
        }
        return TrainState(params, opt_state, state.step + 1), metrics

    return step


def _accumulated(gradient: Callable, count: int) -> Callable:
    """The mean of what `gradient` gives over `count` micro-batches, one after another."""

    def split(array: Array) -> Array:
        if array.shape[0] % count:
            raise InputError(
                f"batch of {array.shape[0]} examples cannot be cut into {count} micro-batches; "
                "choose accumulate so that it divides the batch size"
            )
        # Every count-th example, not a run of them: each device then keeps its own examples.
        return jnp.moveaxis(array.reshape(-1, count, *array.shape[1:]), 1, 0)

    def mean_gradient(params: Params, batch: Batch, key: PRNGKeyArray):
        def add(total: Params, micro: tuple[Array, Batch]):
            index, examples = micro
            aux, grads = gradient(params, examples, jax.random.fold_in(key, index))
            return jax.tree.map(jnp.add, total, grads), aux

        zeros = jax.tree.map(jnp.zeros_like, params)
        micros = (jnp.arange(count), jax.tree.map(split, dict(batch)))
        total, aux = jax.lax.scan(add, zeros, micros)
        mean_aux = jax.tree.map(lambda values: values.mean(0), aux)
        return mean_aux, jax.tree.map(lambda grads: grads / count, total)

    return mean_gradient


def compile_train_step(step: TrainStep, *, like: TrainState) -> TrainStep:
    """The step compiled; it takes over the state's memory and leaves the state where it lies.

    The state passed in is gone after the call. `like` is from `abstract_state`.
    """
    shardings = jax.tree.map(lambda leaf: leaf.sharding, like)
    everywhere = NamedSharding(like.step.sharding.mesh, PartitionSpec())
    return jax.jit(step, donate_argnums=0, out_shardings=(shardings, everywhere))


def make_eval_step(
    example_metrics: Callable[[Params, Batch, PRNGKeyArray], Metrics], *, mesh: Mesh
) -> Callable[[Params, Batch, PRNGKeyArray], Metrics]:
    """A compiled function that gives each metric's sum over the real examples, and their number.

    Args:
        example_metrics: (params, batch, key) -> values (b,), one for each example.
        mesh: from `make_mesh`.
    """

    def step(params: Params, batch: Batch, key: PRNGKeyArray) -> Metrics:
        real = batch["mask"] > 0
        values = example_metrics(params, batch, key)
        sums = {name: jnp.where(real, value, 0).sum() for name, value in values.items()}
        return sums | {"examples": real.sum()}

    return jax.jit(step, out_shardings=NamedSharding(mesh, PartitionSpec()))


def evaluate(
    eval_step: Callable[[Params, Batch, PRNGKeyArray], Metrics],
    params: Params,
    batches: Iterable[Mapping[str, np.ndarray]],
    *,
    mesh: Mesh,
    key: PRNGKeyArray,
) -> dict[str, float]:
    """Each metric's mean over all examples whose `mask` is 1, and `examples`, their number.

    Each batch's key is the given one folded with the batch's number: the same masks every time.

    Raises:
        InputError: no example at all.
    """
    totals: dict[str, float] = {}
    running: Metrics = {}
    for index, batch in enumerate(watched(batches)):
        sums = eval_step(params, place_batch(batch, mesh), jax.random.fold_in(key, index))
        # Read one batch late: the device works on while the next batch is fetched.
        _add(totals, running)
        running = sums
    _add(totals, running)
    examples = totals.pop("examples", 0.0)
    if not examples:
        raise InputError("no example to evaluate: the split is empty; choose another split")
    return {name: total / examples for name, total in totals.items()} | {"examples": examples}


def _add(totals: dict[str, float], sums: Metrics) -> None:
    for name, value in jax.device_get(sums).items():
        totals[name] = totals.get(name, 0.0) + float(value)
