"""A running mean of a model's parameters, which is judged and kept in their place.

The parameters of a run are then {"model": those that are trained, "average": their mean}.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.functional import Params


class AveragingState(NamedTuple):
    """Updates made (int32), and the state of the optimizer of the trained parameters."""

    count: Any
    inner: Any


def with_average(model: Params, *, decay: float) -> Params:
    """The parameters that a run starts from; without an average if `decay` is 0."""
    if not 0 <= decay < 1:
        raise InputError(f"ema_decay is {decay}; expected 0 for no average, or up to below 1")
    # Copies, because a train step takes over the memory of each array once.
    return {"model": model} | ({"average": jax.tree.map(jnp.copy, model)} if decay else {})


def judged(params: Params) -> Params:
    """The model that is evaluated, kept and tested: the average where there is one."""
    return params.get("average", params["model"])


def with_averaging(
    optimizer: optax.GradientTransformation, *, decay: float
) -> optax.GradientTransformation:
    """The optimizer, for parameters of `with_average`, and with each update that of the average.

    The average moves to the new parameters by 1 - decay, in the first updates by more: by
    1 - min(decay, (1 + n) / (10 + n)) in the n-th, or it would long resemble the parameters of
    the start (the schedule of TensorFlow's ExponentialMovingAverage).
    """

    def init(params: Any) -> AveragingState:
        return AveragingState(jnp.zeros((), jnp.int32), optimizer.init(params["model"]))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Params, AveragingState]:
        if params is None:
            raise ValueError("an average of the parameters needs the parameters")
        change, inner = optimizer.update(updates["model"], state.inner, params["model"])
        count = jnp.asarray(optax.safe_increment(state.count))
        result: Params = {"model": change}
        if decay:
            step_size = 1 - jnp.minimum(decay, (1 + count) / (10 + count))
            moved = optax.apply_updates(params["model"], change)
            result["average"] = jax.tree.map(
                lambda new, average: step_size * (new - average), moved, params["average"]
            )
        return result, AveragingState(count, inner)

    return optax.GradientTransformation(init, update)
