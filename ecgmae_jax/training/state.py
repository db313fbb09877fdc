"""The state of a run: all that a step changes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jaxtyping import PRNGKeyArray, PyTree

from ecgmae_jax.training.sharding import RULES, Rules, state_shardings

InitParams = Callable[[PRNGKeyArray], PyTree]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Parameters, optimizer state, and the number of updates made (int32)."""

    params: Any
    opt_state: Any
    step: Any


def abstract_state(
    init_params: InitParams,
    optimizer: optax.GradientTransformation,
    *,
    mesh: Mesh,
    rules: Rules = RULES,
) -> TrainState:
    """Shape, type and place of every array of the state; nothing is computed or stored."""

    def init(key: PRNGKeyArray) -> TrainState:
        return _first_state(init_params(key), optimizer)

    shapes = jax.eval_shape(init, jax.random.key(0))
    return jax.tree.map(
        lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        shapes,
        state_shardings(shapes, mesh, rules=rules),
    )


def initial_state(
    init_params: InitParams,
    optimizer: optax.GradientTransformation,
    *,
    key: PRNGKeyArray,
    like: TrainState,
) -> TrainState:
    """A state with new parameters, each array made where `like` (abstract_state) puts it."""
    shardings = jax.tree.map(lambda leaf: leaf.sharding, like)
    init = jax.jit(lambda key: _first_state(init_params(key), optimizer), out_shardings=shardings)
    return init(key)


def state_of(
    params: PyTree, optimizer: optax.GradientTransformation, *, like: TrainState
) -> TrainState:
    """A state at step 0 with the given parameters, such as a pre-trained encoder's."""
    shardings = jax.tree.map(lambda leaf: leaf.sharding, like)
    params = jax.device_put(params, shardings.params)
    init = jax.jit(optimizer.init, out_shardings=shardings.opt_state)
    step = jax.device_put(jnp.zeros((), jnp.int32), shardings.step)
    return TrainState(params, init(params), step)


def _first_state(params: PyTree, optimizer: optax.GradientTransformation) -> TrainState:
    return TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))
