import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.stats import spearmanr

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.attribution import (
    attention_rollout,
    attention_shares,
    embed,
    integrated_gradients,
)
from ecgmae_jax.models.compute import PLAIN
from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.heads import Classifier, ClassifierConfig
from ecgmae_jax.models.patches import patchify
from ecgmae_jax.models.stack import run_blocks
from ecgmae_jax.models.vit import Encoder


@pytest.fixture(scope="module")
def sheets(images):
    """Three images whose first patch is blank."""
    return jnp.asarray(images).at[:, :4, :8].set(0)


@pytest.fixture(scope="module")
def encoder(mae_config, mae_params):
    make = functools.partial(Encoder, mae_config.encoder)
    return bind(model_graph(make), jax.tree.map(jnp.asarray, mae_params["encoder"]))


@pytest.fixture(scope="module")
def make_classifier(mae_config):
    return functools.partial(Classifier, ClassifierConfig(mae_config.encoder, num_classes=4))


@pytest.fixture(scope="module")
def trained(make_classifier):
    """Parameters of a classifier, none of them at its initial value."""
    rng = np.random.default_rng(3)
    return jax.tree.map(
        lambda x: x + rng.normal(0, 0.3, x.shape).astype(np.float32),
        jax.jit(functools.partial(init_params, make_classifier))(jax.random.key(3)),
    )


@pytest.fixture(scope="module")
def attribute(make_classifier):
    """Parameters and images -> the score of class 2, that of a blank image, and attributions."""
    graph = model_graph(make_classifier)

    @jax.jit
    def attribute(params, sheets):
        def score(x):
            return bind(graph, params)(x)[:, 2]

        blank = jnp.zeros_like(sheets)
        found = integrated_gradients(score, sheets, baseline=blank, steps=64)
        return score(sheets), score(blank), found

    return attribute


@pytest.fixture(scope="module")
def layers(encoder, sheets):
    """For every block: its input, normalised, its attention's shares, and what it gathers."""
    graph, state = nnx.split(encoder.blocks)

    @jax.jit
    def follow(tokens):
        found = []
        for number in range(encoder.config.depth):
            params = jax.tree.map(lambda x, i=number: x[i], nnx.to_pure_dict(state))
            block = bind(graph, params)
            normed = block.norm1(tokens)
            values = block.attention.qkv(normed)[..., 2 * encoder.config.width :]
            found.append((attention_shares(block, tokens), values, block.attention(normed)))
            tokens = block(tokens)
        return found

    return jax.tree.map(np.asarray, follow(embed(encoder, sheets)))


@pytest.mark.parametrize("kind", ["fixed positions", "learned positions"])
def test_tokens_before_the_blocks_become_those_of_the_encoder(
    encoder, make_classifier, trained, sheets, kind
):
    learned = bind(model_graph(make_classifier), trained).encoder
    model = encoder if kind == "fixed positions" else learned

    @jax.jit
    def both_ways(sheets):
        tokens = run_blocks(model.blocks, embed(model, sheets), compute=PLAIN)
        return tokens if model.norm is None else model.norm(tokens), model(sheets)

    found, expected = both_ways(sheets)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_shares_are_those_that_attention_gathers_with(encoder, layers, mae_params):
    out = mae_params["encoder"]["blocks"]["attention"]["out"]
    for number, (shares, values, expected) in enumerate(layers):
        np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-5)
        batch, count, width = values.shape
        per_head = values.reshape(batch, count, 2, width // 2)
        gathered = np.einsum("bhqk,bkhe->bqhe", shares, per_head).reshape(batch, count, width)
        found = gathered @ out["kernel"][number] + out["bias"][number]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls", "both"])
def test_rollout_is_the_product_over_the_blocks(encoder, layers, sheets, pooling):
    count = layers[0][0].shape[-1]
    mixed = np.eye(count)[None]
    for shares, _, _ in layers:
        mixed = (0.5 * shares.astype(np.float64).mean(axis=1) + 0.5 * np.eye(count)) @ mixed
    rows = {"cls": mixed[:, 0], "mean": mixed[:, 1:].mean(axis=1)}
    rows["both"] = (rows["cls"] + rows["mean"]) / 2
    expected = rows[pooling][:, 1:]
    expected = expected / expected.sum(axis=1, keepdims=True)
    found = jax.jit(lambda x: attention_rollout(encoder, x, pooling=pooling))(sheets)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_even_attention_rolls_out_evenly(mae_config, mae_params, sheets):
    params = jax.tree.map(jnp.asarray, mae_params["encoder"])
    params["blocks"]["attention"]["qkv"] = jax.tree.map(
        jnp.zeros_like, params["blocks"]["attention"]["qkv"]
    )
    encoder = bind(model_graph(functools.partial(Encoder, mae_config.encoder)), params)
    found = jax.jit(lambda x: attention_rollout(encoder, x, pooling="mean"))(sheets)
    np.testing.assert_allclose(found, 1 / mae_config.encoder.num_patches, rtol=1e-5)


def test_rollout_refuses_a_pooling_that_the_features_do_not_have(encoder, sheets):
    with pytest.raises(InputError, match="pooling is 'max'; choose one of cls, mean, both"):
        attention_rollout(encoder, sheets, pooling="max")


def test_gradients_of_polynomials_are_integrated_exactly(sheets):
    images, rng = sheets, np.random.default_rng(0)
    slope = jnp.asarray(rng.normal(size=(1, *images.shape[1:])), jnp.float32)
    baseline = jnp.full_like(images, 0.25)

    def linear(x):
        return (slope * x).sum(axis=(1, 2, 3))

    def quadratic(x):
        return (slope * x**2).sum(axis=(1, 2, 3))

    found = integrated_gradients(linear, images, baseline=baseline, steps=1)
    np.testing.assert_allclose(found, slope * (images - 0.25), rtol=1e-4, atol=1e-6)
    # The gradient is linear along the way, for which the rule of the middles is exact.
    found = integrated_gradients(quadratic, images, baseline=baseline, steps=3)
    np.testing.assert_allclose(found, slope * (images**2 - 0.25**2), rtol=1e-4, atol=1e-5)


def test_attributions_total_the_change_of_the_score(attribute, trained, sheets):
    score, blank, found = attribute(trained, sheets)
    assert np.abs(score - blank).min() > 0.01
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), score - blank, rtol=0.02, atol=0.01)


def test_what_equals_the_baseline_gets_nothing(attribute, trained, sheets):
    *_, found = attribute(trained, sheets)
    assert np.abs(found[:, :4, :8]).max() == 0
    assert np.abs(found[:, 4:]).max() > 0


def test_maps_change_when_the_weights_are_drawn_anew(
    attribute, make_classifier, trained, sheets, mae_config
):
    fresh = jax.jit(functools.partial(init_params, make_classifier))(jax.random.key(4))
    maps = [
        np.asarray(patchify(attribute(params, sheets)[2], patch_size=(4, 8)).sum(axis=-1))
        for params in (trained, fresh)
    ]
    assert maps[0].shape == (3, mae_config.encoder.num_patches)
    for one, other in zip(*maps, strict=True):
        assert abs(spearmanr(one, other).statistic) < 0.9
    again = jax.tree.map(jnp.copy, trained)
    np.testing.assert_array_equal(attribute(again, sheets)[2], attribute(trained, sheets)[2])
