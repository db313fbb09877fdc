import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import mesh, sharding, state, steps


def noiseless_loss(toy):
    return lambda params, batch, key: toy.loss_fn(params, batch, jax.random.key(3))


def one_step(toy, device_mesh, *, loss_fn, accumulate=1):
    optimizer, schedule = toy.make_optimizer()
    like = state.abstract_state(toy.init_params, optimizer, mesh=device_mesh, rules=toy.RULES)
    first = state.initial_state(toy.init_params, optimizer, key=jax.random.key(0), like=like)
    step = steps.make_train_step(loss_fn, optimizer, learning_rate=schedule, accumulate=accumulate)
    batch = sharding.place_batch(toy.batch_of(1), device_mesh)
    compiled = steps.compile_train_step(step, like=like)
    for i in range(2):
        first, metrics = compiled(first, batch, jax.random.key(i))
    return first, metrics


def assert_close(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(jax.device_get(a), jax.device_get(b), rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def unsharded(toy):
    single = mesh.make_mesh(devices=jax.devices()[:1])
    return one_step(toy, single, loss_fn=noiseless_loss(toy))


def test_a_step_on_eight_devices_is_the_step_on_one(toy, unsharded):
    sharded = one_step(toy, mesh.make_mesh(data=2, fsdp=4), loss_fn=noiseless_loss(toy))
    assert_close(sharded, unsharded)
    assert sharded[0].params["encoder"]["blocks"]["mlp"]["kernel"].sharding.spec[1] == "fsdp"


def test_micro_batches_add_up_to_the_whole_batch(toy, unsharded):
    grid = mesh.make_mesh(data=2, fsdp=1, devices=jax.devices()[:2])
    loss_fn = noiseless_loss(toy)
    several, metrics = one_step(toy, grid, loss_fn=loss_fn, accumulate=4)
    assert_close(several, unsharded[0])
    for name in ("loss", "grad_norm", "learning_rate"):
        np.testing.assert_allclose(metrics[name], unsharded[1][name], rtol=1e-5)


def test_each_micro_batch_gets_its_own_key_and_every_example_is_used_once():
    def loss_fn(params, batch, key):
        del key
        return (params["w"] * batch["x"]).mean(), {"mean": batch["x"].mean()}

    gradient = steps._accumulated(jax.value_and_grad(loss_fn, has_aux=True), 4)
    batch = {"x": jnp.asarray(2.0 ** np.arange(8))}
    (loss, metrics), grads = gradient({"w": jnp.asarray(3.0)}, batch, jax.random.key(0))
    np.testing.assert_allclose(grads["w"], batch["x"].mean())
    np.testing.assert_allclose([loss, metrics["mean"]], [3 * 255 / 8, 255 / 8])

    def draw(params, batch, key):
        return params["w"] * jax.random.uniform(key), {}

    gradient = steps._accumulated(jax.value_and_grad(draw, has_aux=True), 2)
    mean = gradient({"w": jnp.asarray(1.0)}, batch, jax.random.key(5))[1]["w"]
    keys = [jax.random.fold_in(jax.random.key(5), i) for i in range(2)]
    np.testing.assert_allclose(
        mean, (jax.random.uniform(keys[0]) + jax.random.uniform(keys[1])) / 2
    )


def test_a_batch_that_cannot_be_cut_is_refused():
    gradient = steps._accumulated(lambda *_: None, 3)
    message = "batch of 8 examples cannot be cut into 3 micro-batches"
    with pytest.raises(InputError, match=re.escape(message)):
        gradient({}, {"x": jnp.zeros(8)}, jax.random.key(0))


def test_the_step_reports_loss_gradient_and_rate(toy, unsharded):
    after, metrics = unsharded
    schedule = toy.make_optimizer()[1]
    assert int(after.step) == 2
    assert set(metrics) == {"loss", "grad_norm", "learning_rate", "largest", "skipped"}
    assert not metrics["skipped"]
    np.testing.assert_allclose(metrics["learning_rate"], schedule(1))


def test_the_gradient_norm_is_that_of_all_parameters_together(toy):
    optimizer, schedule = toy.make_optimizer()
    params = {"a": jnp.asarray([1.0, 2.0]), "b": jnp.asarray(3.0)}

    def loss_fn(params, batch, key):
        del batch, key
        return 3 * params["a"].sum() + 4 * params["b"], {}

    step = steps.make_train_step(loss_fn, optimizer, learning_rate=schedule)
    first = state.TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))
    metrics = jax.jit(step)(first, {}, jax.random.key(0))[1]
    np.testing.assert_allclose(metrics["grad_norm"], np.sqrt(9 + 9 + 16), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_step_that_is_no_number_changes_nothing_but_the_count(where, bad):
    params = {"w": jnp.asarray([1.0, 2.0])}
    optimizer = optax.adam(0.1)

    def loss_fn(params, batch, key):
        del key
        # The square root's slope at 0 is infinite where its value is finite.
        slope = jnp.sqrt(jnp.where(batch["bad"], params["w"][0] - 1.0, 1.0))
        return batch["offset"] + params["w"].sum() + slope, {}

    step = jax.jit(steps.make_train_step(loss_fn, optimizer, learning_rate=lambda count: 0.1))
    first = state.TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))
    good = {"offset": jnp.asarray(0.0), "bad": jnp.asarray(False)}
    poison = {"offset": jnp.asarray(bad)} if where == "loss" else {"bad": jnp.asarray(True)}
    after, metrics = step(first, good | poison, jax.random.key(0))
    assert bool(metrics["skipped"]) and int(after.step) == 1
    for one, other in zip(
        jax.tree.leaves((after.params, after.opt_state)),
        jax.tree.leaves((first.params, first.opt_state)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    moved, metrics = step(after, good, jax.random.key(0))
    assert not metrics["skipped"] and (moved.params["w"] < first.params["w"]).all()


def eval_batches():
    for values, mask in (([1.0, 2, 3, 4] * 2, [1.0] * 8), ([10.0, np.nan] * 4, [1.0] + [0.0] * 7)):
        yield {"x": np.asarray(values, np.float32), "mask": np.asarray(mask, np.float32)}


def test_evaluation_counts_real_examples_only():
    grid = mesh.make_mesh()
    eval_step = steps.make_eval_step(
        lambda params, batch, key: {"loss": params * batch["x"]}, mesh=grid
    )
    result = steps.evaluate(
        eval_step, jnp.asarray(2.0), eval_batches(), mesh=grid, key=jax.random.key(0)
    )
    np.testing.assert_allclose(result.pop("loss"), 2 * (20 + 10) / 9, rtol=1e-6)
    assert result == {"examples": 9.0}


def test_evaluation_of_nothing_is_refused():
    grid = mesh.make_mesh()
    eval_step = steps.make_eval_step(lambda params, batch, key: {}, mesh=grid)
    with pytest.raises(InputError, match="no example to evaluate"):
        steps.evaluate(eval_step, {}, iter(()), mesh=grid, key=jax.random.key(0))


def test_a_state_made_of_given_parameters_starts_at_zero(toy):
    optimizer, _ = toy.make_optimizer()
    like = state.abstract_state(
        toy.init_params, optimizer, mesh=mesh.make_mesh(data=2, fsdp=4), rules=toy.RULES
    )
    params = jax.device_get(jax.jit(toy.init_params)(jax.random.key(9)))
    made = state.state_of(params, optimizer, like=like)
    drawn = state.initial_state(toy.init_params, optimizer, key=jax.random.key(9), like=like)
    assert_close(made, drawn)
    shardings = [jax.tree.map(lambda leaf: leaf.sharding, tree) for tree in (made, drawn, like)]
    assert shardings[0] == shardings[1] == shardings[2]
    assert int(made.step) == 0
