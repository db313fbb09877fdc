import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgmae_jax.evaluation.readouts.attentive_probe import (
    AttentiveSettings,
    attentive_probabilities,
    attentive_scores,
)

SETTINGS = AttentiveSettings(heads=2, steps=200, batch_size=32, peak_rate=0.03, weight_decay=0.01)


@pytest.fixture
def params():
    rng = np.random.default_rng(0)
    shapes = {"queries": (2, 3), "kernel": (6, 4), "bias": (4,)}
    return {name: jnp.asarray(rng.normal(size=s), jnp.float32) for name, s in shapes.items()}


def test_scores_are_weighted_means_of_tokens_through_a_linear_layer(params):
    tokens = np.random.default_rng(1).normal(size=(5, 7, 3)).astype(np.float32)
    found = attentive_scores(params, jnp.asarray(tokens))
    for i in range(5):
        pooled = []
        for query in np.asarray(params["queries"]):
            weights = np.exp(tokens[i] @ query / np.sqrt(3))
            pooled += list((weights[:, None] * tokens[i]).sum(axis=0) / weights.sum())
        expected = np.array(pooled) @ np.asarray(params["kernel"]) + np.asarray(params["bias"])
        np.testing.assert_allclose(found[i], expected, rtol=1e-4, atol=1e-5)


def test_the_order_of_tokens_does_not_matter(params):
    tokens = np.random.default_rng(1).normal(size=(5, 7, 3)).astype(np.float32)
    shuffled = tokens[:, np.random.default_rng(2).permutation(7)]
    first, other = (attentive_scores(params, jnp.asarray(t)) for t in (tokens, shuffled))
    np.testing.assert_allclose(first, other, rtol=1e-4, atol=1e-5)


def _needles(count, seed):
    """One token of sixteen, anywhere, is marked; in its channel 1 it says the class."""
    rng = np.random.default_rng(seed)
    tokens = rng.normal(size=(count, 16, 4)).astype(np.float32)
    kind = rng.integers(0, 2, count)
    place = rng.integers(0, 16, count)
    tokens[np.arange(count), place, 0] += 6
    tokens[np.arange(count), place, 1] = 2 * (2 * kind - 1)
    return tokens.reshape(count, -1), kind.astype(np.float32)[:, None]


def test_it_finds_the_token_that_tells():
    features, kind = _needles(300, 0)
    queries, asked = _needles(200, 1)
    truth = np.concatenate([1 - kind, kind], axis=1)
    found = attentive_probabilities(
        features,
        truth,
        queries,
        np.repeat(np.arange(150), 2),
        num_tokens=16,
        exclusive=True,
        settings=SETTINGS,
        seed=0,
    )
    means = queries.reshape(-1, 16, 4).mean(axis=1)[:, 1]
    by_mean, by_attention = (roc_auc_score(asked[:, 0], s) for s in (means, found[:, 1]))
    assert by_attention > 0.95 > by_mean + 0.1
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_labels_of_noise_are_stopped_early():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(120, 64)).astype(np.float32)
    truth = (rng.random((120, 1)) < 0.5).astype(np.float32)
    found = attentive_probabilities(
        features,
        truth,
        rng.normal(size=(80, 64)).astype(np.float32),
        np.arange(120),
        num_tokens=16,
        exclusive=False,
        settings=SETTINGS,
        seed=0,
    )
    assert np.abs(found - 0.5).max() < 0.3
