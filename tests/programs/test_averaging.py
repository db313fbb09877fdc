import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.averaging import judged, with_average, with_averaging

START = {"a": jnp.arange(3.0), "encoder": {"b": jnp.ones((2, 2))}}


def train(optimizer, params, *, steps):
    """Every parameter's history, under gradients that depend on nothing but the step."""
    state, models = optimizer.init(params), []
    for step in range(steps):
        grads = jax.tree.map(lambda leaf, i=step: jnp.cos(leaf * 0 + i), params)
        updates, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        models.append(params["model"])
    return params, models


@pytest.mark.parametrize("decay", [0.5, 0.97])
def test_the_average_follows_its_recursion(decay):
    optimizer = with_averaging(optax.adamw(0.1), decay=decay)
    params, models = train(optimizer, with_average(START, decay=decay), steps=60)
    expected = START
    for n, model in enumerate(models, start=1):
        rate = min(decay, (1 + n) / (10 + n))
        expected = jax.tree.map(lambda e, m, r=rate: r * e + (1 - r) * m, expected, model)
    jax.tree.map(
        lambda found, want: np.testing.assert_allclose(found, want, rtol=1e-5),
        params["average"],
        expected,
    )
    assert judged(params) is params["average"]


def test_the_trained_parameters_are_those_of_the_optimizer_alone():
    alone, state = START, optax.adamw(0.1).init(START)
    params, _ = train(
        with_averaging(optax.adamw(0.1), decay=0.9), with_average(START, decay=0.9), steps=5
    )
    for step in range(5):
        grads = jax.tree.map(lambda leaf, i=step: jnp.cos(leaf * 0 + i), alone)
        updates, state = optax.adamw(0.1).update(grads, state, alone)
        alone = optax.apply_updates(alone, updates)
    jax.tree.map(np.testing.assert_array_equal, params["model"], alone)


def test_without_decay_there_is_no_average():
    params, models = train(
        with_averaging(optax.sgd(0.1), decay=0.0), with_average(START, decay=0.0), steps=2
    )
    assert set(params) == {"model"}
    assert judged(params) is models[-1]


def test_the_arrays_of_a_start_can_be_taken_over_one_by_one():
    optimizer = with_averaging(optax.sgd(0.1), decay=0.9)

    def step(params, state):
        grads = jax.tree.map(jnp.ones_like, params)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    start = jax.tree.map(jnp.copy, START)
    params = with_average(start, decay=0.9)
    moved, _ = jax.jit(step, donate_argnums=(0,))(params, optimizer.init(params))
    np.testing.assert_allclose(moved["model"]["a"], START["a"] - 0.1, rtol=1e-6)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_an_impossible_decay_is_named(decay):
    with pytest.raises(InputError, match=f"ema_decay is {decay}; expected 0 for no average"):
        with_average(START, decay=decay)
