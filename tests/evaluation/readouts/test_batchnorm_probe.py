import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import expit

from ecgmae_jax.evaluation.readouts.batchnorm_probe import batchnorm_probabilities, make_lars


def test_three_updates_of_lars_follow_its_formula():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(4, 3)), rng.normal(size=3)
    rates = [0.5, 1.5, 1.0]
    optimizer = make_lars(lambda step: jnp.asarray(rates)[step])
    params = {"kernel": jnp.asarray(kernel, jnp.float32), "bias": jnp.asarray(bias, jnp.float32)}
    state = optimizer.init(params)
    momentum = {"kernel": 0.0, "bias": 0.0}
    for rate in rates:
        gradient = {"kernel": rng.normal(size=(4, 3)), "bias": rng.normal(size=3)}
        trust = 0.001 * np.linalg.norm(kernel) / np.linalg.norm(gradient["kernel"])
        momentum["kernel"] = 0.9 * momentum["kernel"] + trust * gradient["kernel"]
        momentum["bias"] = 0.9 * momentum["bias"] + gradient["bias"]
        kernel, bias = kernel - rate * momentum["kernel"], bias - rate * momentum["bias"]
        leaves = {name: jnp.asarray(leaf, jnp.float32) for name, leaf in gradient.items()}
        updates, state = optimizer.update(leaves, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(params["kernel"], kernel, rtol=1e-5)
    np.testing.assert_allclose(params["bias"], bias, rtol=1e-5)


def _by_hand(features, truth, queries, *, kernel, steps, batch_size):
    """The whole-batch probe of labels that do not exclude each other, in float64."""
    mean, variance = np.zeros(features.shape[1]), np.ones(features.shape[1])
    bias = np.zeros(truth.shape[1])
    velocity, bias_velocity = np.zeros_like(kernel), np.zeros_like(bias)
    warmup = round(steps * 10 / 90)
    rows = (features - features.mean(0)) / np.sqrt(features.var(0) + 1e-6)
    for step in range(steps):
        rate = 0.1 * batch_size / 256
        if step < warmup:
            rate *= step / warmup
        else:
            rate *= 0.5 * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup)))
        wrong = (expit(rows @ kernel + bias) - truth) / truth.size
        gradient = rows.T @ wrong
        trust = 0.001 * np.linalg.norm(kernel) / np.linalg.norm(gradient)
        velocity = 0.9 * velocity + trust * gradient
        bias_velocity = 0.9 * bias_velocity + wrong.sum(axis=0)
        kernel, bias = kernel - rate * velocity, bias - rate * bias_velocity
        mean = 0.9 * mean + 0.1 * features.mean(0)
        variance = 0.9 * variance + 0.1 * features.var(0, ddof=1)
    return expit((queries - mean) / np.sqrt(variance + 1e-6) @ kernel + bias)


def test_a_whole_fit_follows_the_recipe(monkeypatch):
    rng = np.random.default_rng(1)
    features = (rng.normal(size=(40, 5)) * 2 + 1).astype(np.float32)
    truth = (rng.random((40, 2)) < expit(features[:, :2])).astype(np.float32)
    start = 0.01 * rng.normal(size=(5, 2))
    monkeypatch.setattr("jax.random.normal", lambda key, shape: jnp.asarray(100 * start))
    found = batchnorm_probabilities(
        features, truth, features[:7], exclusive=False, steps=45, batch_size=4096, seed=0
    )
    expected = _by_hand(
        features.astype(float), truth, features[:7], kernel=start, steps=45, batch_size=4096
    )
    np.testing.assert_allclose(found, expected, rtol=2e-3)


@pytest.mark.parametrize("batch_size", [512, 16_384])
def test_it_learns_classes_that_exclude_each_other_whatever_the_units(batch_size):
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 3, 600)
    units = np.float32([100, 1, 0.01, 1])
    features = ((rng.normal(size=(600, 4)) + 3 * np.eye(4)[kind]) * units).astype(np.float32)
    found = batchnorm_probabilities(
        features,
        np.eye(3, dtype=np.float32)[kind],
        features,
        exclusive=True,
        steps=7_020,
        batch_size=batch_size,
        seed=0,
    )
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert (found.argmax(axis=1) == kind).mean() > 0.9
