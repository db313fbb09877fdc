import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.heads import Classifier, ClassifierConfig, with_pretrained_encoder
from ecgmae_jax.models.positions import sincos_2d, with_cls_position
from ecgmae_jax.models.vit import ViTConfig

# Another grid than that of `mae_config`, with the same patches.
ENCODER = ViTConfig((16, 24), (4, 8), channels=1, width=24, depth=3, heads=2)
MAKE = functools.partial(Classifier, ClassifierConfig(ENCODER, num_classes=4, drop_path=0.5))


@pytest.fixture(scope="module")
def params():
    return jax.jit(functools.partial(init_params, MAKE))(jax.random.key(0))


@pytest.fixture(scope="module")
def sheets():
    return jnp.asarray(np.random.default_rng(2).normal(size=(3, 16, 24, 1)), jnp.float32)


def test_scores_come_from_the_normalised_mean_of_the_patches(params, sheets, mae_params, reference):
    params = with_pretrained_encoder(params, mae_params["encoder"])
    scores = jax.jit(bind(model_graph(MAKE), params))(sheets)
    for image, found in zip(np.asarray(sheets), scores, strict=True):
        tokens = reference.encode(
            mae_params["encoder"], ENCODER, image, range(12), final_norm=False
        )
        mean = tokens[1:].mean(axis=0)
        normal = (mean - mean.mean()) / np.sqrt(mean.var() + 1e-6)
        expected = normal @ np.asarray(params["head"]["kernel"])
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_pretrained_parameters_replace_all_but_the_positions(params, mae_params):
    loaded = with_pretrained_encoder(params, mae_params["encoder"])
    assert "norm" not in loaded["encoder"]
    assert jax.tree.structure(loaded) == jax.tree.structure(params)
    start = with_cls_position(sincos_2d((4, 3), width=24))
    np.testing.assert_array_equal(loaded["encoder"]["positions"][0], start)
    np.testing.assert_array_equal(
        loaded["encoder"]["blocks"]["mlp"]["out"]["bias"],
        mae_params["encoder"]["blocks"]["mlp"]["out"]["bias"],
    )


def test_paths_are_dropped_only_with_a_key(params, sheets):
    scores = jax.jit(lambda images, key=None: bind(model_graph(MAKE), params)(images, key=key))
    np.testing.assert_array_equal(scores(sheets), scores(sheets))
    first, second = (scores(sheets, jax.random.key(number)) for number in (0, 1))
    assert np.abs(first - second).max() > 1e-6


def test_positions_and_head_are_trained(params, sheets):
    graph = model_graph(MAKE)
    params = params | {"head": {"kernel": jnp.ones((24, 4)), "bias": jnp.zeros(4)}}
    # The sum over a normalised vector is constant, so that one direction has to be weighted.
    params["norm"] = {"scale": jnp.arange(24.0), "bias": jnp.zeros(24)}
    gradient = jax.jit(jax.grad(lambda params: bind(graph, params)(sheets).sum()))(params)
    for path, leaf in jax.tree.leaves_with_path(gradient):
        assert np.abs(leaf).max() > 1e-6, jax.tree_util.keystr(path)


def test_scores_start_near_zero():
    make = functools.partial(Classifier, ClassifierConfig(ENCODER, num_classes=500))
    kernel = jax.jit(lambda key: init_params(make, key)["head"]["kernel"])(jax.random.key(0))
    np.testing.assert_allclose(kernel.std(), 2e-5, rtol=0.03)
    assert np.abs(kernel).max() > 2 * 2e-5  # not cut off at two deviations
