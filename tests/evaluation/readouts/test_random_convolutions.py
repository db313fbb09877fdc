import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from ecgmae_jax.evaluation.readouts.random_convolutions import make_random_convolutions


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(2, 21, 27, 1)).astype(np.float32)


def _make(*, seed=3, stride=2):
    return make_random_convolutions(
        channels=1, num_filters=4, size=5, stride=stride, regions=(2, 2), seed=seed
    )


def test_responses_are_rectified_correlations_averaged_by_region(images):
    kernel = np.asarray(jax.random.normal(jax.random.key(3), (5, 5, 1, 4))) / 5
    expected = np.zeros((2, 2, 2, 4))
    for i, image in enumerate(images[..., 0]):
        for j in range(4):
            response = np.maximum(correlate2d(image, kernel[:, :, 0, j], "valid")[1:, 1:], 0)
            blocks = response[:16, :22].reshape(2, 8, 2, 11)
            expected[i, :, :, j] = blocks.mean(axis=(1, 3))
    # One pixel cut off above and on the left stands for the stride's first place.
    found = _make(stride=1)(jnp.asarray(images[:, 1:, 1:]))
    np.testing.assert_allclose(found, expected.reshape(2, -1), rtol=1e-4, atol=1e-5)


def test_a_stride_takes_every_second_response(images):
    kernel = np.asarray(jax.random.normal(jax.random.key(3), (5, 5, 1, 4))) / 5
    response = correlate2d(images[0, :, :, 0], kernel[:, :, 0, 2], "valid")[::2, ::2]
    whole = make_random_convolutions(
        channels=1, num_filters=4, size=5, stride=2, regions=(1, 1), seed=3
    )(jnp.asarray(images))
    np.testing.assert_allclose(whole[0, 2], np.maximum(response, 0).mean(), rtol=1e-4)


def test_the_seed_decides_the_filters_and_they_answer_linearly_to_contrast(images):
    first, again, other = (_make(seed=seed)(jnp.asarray(images)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.asarray(first) - np.asarray(other)).max() > 0.01
    np.testing.assert_allclose(_make()(jnp.asarray(2 * images)), 2 * first, rtol=1e-5)
