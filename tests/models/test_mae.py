import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.functional import bind, init_params, model_graph, num_params
from ecgmae_jax.models.mae import (
    MAE,
    MAEConfig,
    mae_loss,
    reconstruction_loss,
    reconstruction_target,
)
from ecgmae_jax.models.masking import random_mask
from ecgmae_jax.models.vit import ViTConfig

KEY = jax.random.key(5)


@pytest.fixture(scope="module")
def predicted(mae_config, mae_params, images):
    model = bind(model_graph(functools.partial(MAE, mae_config)), mae_params)
    return jax.jit(lambda images: model(images, key=KEY))(images)


def test_prediction_equals_the_second_implementation(
    predicted, mae_config, mae_params, images, reference
):
    prediction, mask = predicted
    for image, visible, found in zip(images, mask.visible, prediction, strict=True):
        tokens = reference.encode(mae_params["encoder"], mae_config.encoder, image, visible)
        expected = reference.decode(mae_params["decoder"], mae_config, tokens, visible)
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_mask_is_drawn_from_the_key(predicted):
    expected = random_mask(KEY, batch=3, num_patches=15, ratio=0.7)
    jax.tree.map(np.testing.assert_array_equal, predicted[1], expected)


def _loss(mae_config, images, compute):
    graph = model_graph(functools.partial(MAE, mae_config, compute=compute))
    return lambda params: mae_loss(bind(graph, params), jnp.asarray(images), key=KEY)


def test_every_parameter_gets_a_gradient(mae_config, mae_params, images):
    loss_and_gradient = jax.value_and_grad(_loss(mae_config, images, PLAIN), has_aux=True)
    (loss, metrics), gradient = jax.jit(loss_and_gradient)(mae_params)
    assert loss > metrics["null_loss"] > 0  # random parameters are worse than none
    for path, leaf in jax.tree.leaves_with_path(gradient):
        assert np.abs(leaf).max() > 1e-6, jax.tree_util.keystr(path)


def test_bfloat16_differs_by_rounding_only(mae_config, mae_params, images):
    exact, rounded = (
        _loss(mae_config, images, Compute(dtype=dtype)) for dtype in ("float32", "bfloat16")
    )
    gradient = jax.eval_shape(jax.grad(rounded, has_aux=True), mae_params)[0]
    assert {leaf.dtype for leaf in jax.tree.leaves(gradient)} == {jnp.dtype("float32")}
    exact_loss, rounded_loss = (jax.jit(loss)(mae_params)[0] for loss in (exact, rounded))
    assert rounded_loss.dtype == jnp.float32
    np.testing.assert_allclose(rounded_loss, exact_loss, rtol=2e-2)
    assert rounded_loss != exact_loss


def test_norm_pix_uses_the_unbiased_variance_and_its_floor(mae_config, images):
    patch = images[0, 4:8, 16:24].astype(np.float64).reshape(-1)  # row 1, column 2 of a 3x5 grid
    variance = ((patch - patch.mean()) ** 2).sum() / (patch.size - 1)
    for floor in (1e-6, 0.5):
        config = dataclasses.replace(mae_config, norm_pix_eps=floor)
        target = reconstruction_target(jnp.asarray(images), config=config)[0, 7]
        np.testing.assert_allclose(
            target, (patch - patch.mean()) / np.sqrt(variance + floor), atol=1e-5
        )


def test_a_blank_patch_is_blank_under_norm_pix(mae_config):
    target = reconstruction_target(jnp.ones((1, 12, 40, 1)), config=mae_config)
    assert not np.any(target)


def test_without_norm_pix_the_pixels_are_the_target(mae_config, images):
    config = dataclasses.replace(mae_config, norm_pix=False)
    target = reconstruction_target(jnp.asarray(images), config=config)
    np.testing.assert_array_equal(target[0, 7], images[0, 4:8, 16:24].reshape(-1))


def test_the_loss_is_a_mean_over_hidden_patches_of_the_whole_batch():
    errors = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
    prediction = jnp.asarray(np.sqrt(errors)[..., None].repeat(4, axis=-1))
    hidden = jnp.asarray([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])  # not the mean of two means
    loss = reconstruction_loss(prediction, jnp.zeros_like(prediction), hidden)
    np.testing.assert_allclose(loss, (1 + 4 + 5) / 3, rtol=1e-6)


def test_the_reference_model_has_the_published_number_of_parameters():
    config = MAEConfig()
    make = functools.partial(MAE, config)
    shapes = jax.eval_shape(functools.partial(init_params, make), jax.random.key(0))
    # The published 111.91 million include both tables of fixed positions.
    total = num_params(shapes) + 197 * (768 + 512)
    assert round(total / 1e6, 2) == 111.91


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"decoder_heads": 15}, "decoder_width 512 must be a multiple of 4 and of its 15 heads"),
        ({"mask_ratio": 1.0}, "mask_ratio 1.0 leaves 0 of 196 patches visible"),
    ],
)
def test_impossible_configurations_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        MAEConfig(ViTConfig(), **wrong)
