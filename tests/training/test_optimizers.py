import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import optimizers

RTOL = 1e-5


@pytest.mark.parametrize("step", [0, 1, 7, 39, 40, 41, 120, 299, 300, 400])
def test_the_schedule_follows_its_formula(step):
    peak, start, final, warmup, total = 2.4e-3, 2.4e-7, 1e-6, 40, 300
    schedule = optimizers.make_schedule(
        peak_lr=peak,
        warmup_start_lr=start,
        final_lr=final,
        warmup_steps=warmup,
        total_steps=total,
    )
    if step < warmup:
        expected = start + (peak - start) * step / warmup
    else:
        share = min((step - warmup) / (total - warmup), 1.0)
        expected = final + (peak - final) * 0.5 * (1 + math.cos(math.pi * share))
    # float32 next to a peak 10,000 times larger
    np.testing.assert_allclose(schedule(step), expected, rtol=RTOL, atol=1e-7 * peak)


def test_a_run_without_warm_up_starts_at_the_peak():
    schedule = optimizers.make_schedule(peak_lr=0.5, warmup_steps=0, total_steps=10)
    np.testing.assert_allclose([schedule(0), schedule(5), schedule(10)], [0.5, 0.25, 0], atol=1e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warmup_steps": 10}, "warm-up of 10 steps in a run of 10"),
        ({"warmup_steps": -1}, "warm-up of -1 steps"),
        ({"peak_lr": 0.0}, "peak_lr is 0.0"),
        ({"peak_lr": math.nan}, "peak_lr is nan"),
    ],
)
def test_an_impossible_schedule_is_refused(changes, message):
    settings = {"peak_lr": 1e-3, "warmup_steps": 2, "total_steps": 10} | changes
    with pytest.raises(InputError, match=message):
        optimizers.make_schedule(**settings)


def adamw_by_hand(gradients, start, *, rates, b1, b2, eps, weight_decay):
    """The parameter after each update: Loshchilov & Hutter 2019, as PyTorch writes it."""
    p, mean, square, path = start.astype(np.float64), 0.0, 0.0, []
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        p = p - rate * weight_decay * p
        mean = b1 * mean + (1 - b1) * g
        square = b2 * square + (1 - b2) * g**2
        corrected = np.sqrt(square / (1 - b2**t)) + eps
        p = p - rate * (mean / (1 - b1**t)) / corrected
        path.append(p)
    return path


def updated(optimizer, params, gradients):
    @jax.jit
    def update(gradient, opt_state, params):
        updates, opt_state = optimizer.update(gradient, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    opt_state, path = jax.jit(optimizer.init)(params), []
    for gradient in gradients:
        params, opt_state = update(gradient, opt_state, params)
        path.append(params)
    return path


SETTINGS = {"b1": 0.9, "b2": 0.95, "eps": 1e-8, "weight_decay": 0.05}


def test_each_update_follows_adamw_with_and_without_weight_decay():
    rng = np.random.default_rng(0)
    schedule = optimizers.make_schedule(peak_lr=0.1, warmup_steps=2, total_steps=6)
    params = {"kernel": rng.standard_normal((3, 2)), "bias": rng.standard_normal((3, 2))}
    gradients = [jax.tree.map(lambda p: rng.standard_normal(p.shape), params) for _ in range(6)]
    as_float32 = lambda tree: jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), tree)  # noqa: E731
    path = updated(
        optimizers.make_optimizer(schedule, **SETTINGS),
        as_float32(params),
        [as_float32(g) for g in gradients],
    )
    for name, weight_decay in (("kernel", 0.05), ("bias", 0.0)):
        expected = adamw_by_hand(
            [g[name] for g in gradients],
            params[name],
            rates=[float(schedule(i)) for i in range(6)],
            **SETTINGS | {"weight_decay": weight_decay},
        )
        for ours, theirs in zip(path, expected, strict=True):
            np.testing.assert_allclose(ours[name], theirs, rtol=RTOL, atol=1e-6)


def test_weight_decay_spares_biases_norms_tokens_and_positions(toy):
    params = toy.shapes()
    params["encoder"]["positions"] = params["encoder"]["cls_token"]
    params["decoder"] = {"mask_token": params["encoder"]["cls_token"]}
    decayed = optimizers.decayed(params)
    kept = {
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, is_decayed in jax.tree.leaves_with_path(decayed)
        if is_decayed
    }
    assert kept == {
        "encoder/patch_projection/kernel",
        "encoder/blocks/mlp/kernel",
        "head/kernel",
    }


def test_gradients_longer_than_the_limit_are_scaled_to_it():
    params = {"a": jnp.zeros(2), "b": jnp.zeros(1)}
    gradient = {"a": jnp.asarray([3.0, 0.0]), "b": jnp.asarray([4.0])}
    schedule = optimizers.make_schedule(peak_lr=1.0, warmup_steps=0, total_steps=2)
    # With eps far above the gradient the first update is -rate * gradient / eps.
    settings = SETTINGS | {"eps": 1e6}
    clipped = updated(
        optimizers.make_optimizer(schedule, max_grad_norm=1.0, **settings), params, [gradient]
    )[0]
    np.testing.assert_allclose(clipped["a"], [-0.6e-6, 0], rtol=1e-4)
    np.testing.assert_allclose(clipped["b"], [-0.8e-6], rtol=1e-4)
    free = updated(optimizers.make_optimizer(schedule, **settings), params, [gradient])[0]
    np.testing.assert_allclose(free["b"], [-4e-6], rtol=1e-4)


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan])
def test_a_limit_that_stops_all_learning_is_refused(limit):
    schedule = optimizers.make_schedule(peak_lr=1.0, warmup_steps=0, total_steps=2)
    with pytest.raises(InputError, match="expected more than 0"):
        optimizers.make_optimizer(schedule, max_grad_norm=limit)


def test_each_layer_moves_at_its_own_rate(toy):
    decay, depth = 0.65, toy.DEPTH
    transform = optimizers.layerwise_lr_decay(decay=decay, depth=depth)
    ones = jax.tree.map(lambda leaf: np.ones(leaf.shape, np.float32), toy.shapes())
    scales = jax.jit(transform.update)(ones, optax.EmptyState())[0]
    encoder = scales["encoder"]
    np.testing.assert_allclose(encoder["cls_token"], decay**3, rtol=RTOL)
    np.testing.assert_allclose(encoder["patch_projection"]["kernel"], decay**3, rtol=RTOL)
    for leaf in jax.tree.leaves(encoder["blocks"]):
        np.testing.assert_allclose(leaf[0], decay**2, rtol=RTOL)
        np.testing.assert_allclose(leaf[1], decay**1, rtol=RTOL)
    np.testing.assert_array_equal(encoder["norm"]["scale"], 1.0)
    np.testing.assert_array_equal(scales["head"]["kernel"], 1.0)


def test_layer_decay_scales_weight_decay_too():
    schedule = optimizers.make_schedule(peak_lr=0.1, warmup_steps=0, total_steps=2)
    params = {"encoder": {"patch_projection": {"kernel": jnp.ones((2, 2))}}}
    zero = jax.tree.map(jnp.zeros_like, params)
    optimizer = optax.chain(
        optimizers.make_optimizer(schedule, **SETTINGS),
        optimizers.layerwise_lr_decay(decay=0.5, depth=1),
    )
    kernel = updated(optimizer, params, [zero])[0]["encoder"]["patch_projection"]["kernel"]
    np.testing.assert_allclose(kernel, 1 - 0.1 * 0.05 * 0.5**2, rtol=RTOL)


def test_layer_decay_refuses_another_depth_and_an_impossible_rate(toy):
    transform = optimizers.layerwise_lr_decay(decay=0.65, depth=12)
    message = "encoder/blocks/mlp/bias stacks 2 layers but layer decay was made for 12"
    with pytest.raises(InputError, match=re.escape(message)):
        jax.eval_shape(transform.update, toy.shapes(), optax.EmptyState())
    with pytest.raises(InputError, match=re.escape("layer decay is 1.5")):
        optimizers.layerwise_lr_decay(decay=1.5, depth=12)
