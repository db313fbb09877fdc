import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.functional import bind, init_params, model_graph, num_params
from ecgmae_jax.models.vit import VIT_SIZES, Encoder, ViTConfig, pool


@pytest.fixture(scope="module")
def encode(mae_config):
    graph = model_graph(functools.partial(Encoder, mae_config.encoder))
    return jax.jit(lambda params, images, visible=None: bind(graph, params)(images, visible))


def test_tokens_of_all_patches_equal_the_second_implementation(
    encode, mae_config, mae_params, images, reference
):
    tokens = encode(mae_params["encoder"], images)
    for image, found in zip(images, tokens, strict=True):
        expected = reference.encode(mae_params["encoder"], mae_config.encoder, image, range(15))
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_no_mask_means_all_patches(encode, mae_params, images):
    everything = np.broadcast_to(np.arange(15), (3, 15))
    np.testing.assert_allclose(
        encode(mae_params["encoder"], images),
        encode(mae_params["encoder"], images, everything),
        atol=1e-6,
    )


def test_hidden_patches_do_not_reach_the_encoder(encode, mae_params, images):
    visible = np.array([[0, 4, 7]] * 3)
    changed = images.copy()
    changed[:, :4, 8:16] = 1e6  # patch 1
    np.testing.assert_array_equal(
        encode(mae_params["encoder"], images, visible),
        encode(mae_params["encoder"], changed, visible),
    )


def test_pooling_takes_cls_or_the_patches_without_it():
    tokens = jnp.asarray([[[100.0, 200.0], [1.0, 2.0], [3.0, 6.0]]])
    np.testing.assert_array_equal(pool(tokens, pooling="cls"), [[100, 200]])
    np.testing.assert_array_equal(pool(tokens, pooling="mean"), [[2, 4]])
    np.testing.assert_array_equal(pool(tokens, pooling="both"), [[100, 200, 2, 4]])
    with pytest.raises(InputError, match="pooling is 'max'; choose one of cls, mean, both"):
        pool(tokens, pooling="max")


def test_tokens_start_small_and_normal():
    make = functools.partial(Encoder, ViTConfig((4, 4), (4, 4), width=4096, depth=1, heads=1))
    token = jax.jit(lambda key: init_params(make, key)["cls_token"])(jax.random.key(0))
    assert abs(float(token.std()) - 0.02) < 4 * 0.02 / np.sqrt(2 * 4096)


@pytest.mark.parametrize(
    ("size", "millions"), [("Ti", 5.5), ("S", 21.7), ("B", 85.8), ("L", 303.3)]
)
def test_sizes_have_the_published_numbers_of_parameters(size, millions):
    config = ViTConfig(**VIT_SIZES[size])
    shapes = jax.eval_shape(
        functools.partial(init_params, functools.partial(Encoder, config)), jax.random.key(0)
    )
    # The published counts include the positions, which are no parameters here.
    total = num_params(shapes) + (1 + config.num_patches) * config.width
    assert round(total / 1e6, 1) == millions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image_size": (384, 500)}, "16x16 do not tile an image of 384x500"),
        ({"channels": 4}, r"channels is 4; images have 1 \(grey\) or 3"),
        ({"width": 200, "heads": 3}, "width 200 must be a multiple of 4 and of its 3 heads"),
        ({"width": 6, "heads": 2}, "width 6 must be a multiple of 4 and of its 2 heads"),
    ],
)
def test_impossible_configurations_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        ViTConfig(**wrong)
