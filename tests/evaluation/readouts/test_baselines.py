import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.baselines import fit_pixel_pca


def _pictures(count, *, seed=0, height=8, width=12, channels=1):
    # Few strong directions, so that the leading components are well separated.
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(1).normal(size=(6, height * width * channels))
    strengths = rng.normal(size=(count, 6)) * np.array([60.0, 30.0, 15.0, 8.0, 4.0, 2.0])
    pixels = 128 + strengths @ directions / np.sqrt(len(directions[0])) * 5
    return np.clip(pixels, 0, 255).astype(np.uint8).reshape(count, height, width, channels)


def test_coordinates_agree_with_an_exact_svd():
    train, other = _pictures(80), _pictures(20, seed=5)
    pca = fit_pixel_pca(train, num_components=3, seed=0)
    flat = train.reshape(80, -1) / 255.0
    rows = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:3]
    expected = (other.reshape(20, -1) / 255.0 - flat.mean(0)) @ rows.T
    found = pca.transform(other)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=2e-3)
    assert pca.explained[0] > pca.explained[1] > pca.explained[2]


def test_downscaling_averages_squares_of_pixels():
    train = _pictures(40, channels=3)
    halves = train.reshape(40, 4, 2, 6, 2, 3).mean(axis=(2, 4)).reshape(40, -1) / 255.0
    pca = fit_pixel_pca(train, num_components=2, seed=0, downscale=2)
    np.testing.assert_allclose(pca.mean, halves.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        pca.transform(train), (halves - halves.mean(axis=0)) @ pca.components.T, atol=1e-4
    )


def test_the_seed_decides_everything_and_training_pictures_are_centred():
    train = _pictures(60)
    first, second = (fit_pixel_pca(train, num_components=4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.components, second.components)
    np.testing.assert_allclose(first.transform(train).mean(axis=0), np.zeros(4), atol=1e-4)


def test_pictures_of_another_size_are_refused_with_both_sizes():
    pca = fit_pixel_pca(_pictures(20), num_components=2, seed=0)
    with pytest.raises(InputError, match=r"\(8, 8, 1\).*\(8, 12, 1\)"):
        pca.transform(_pictures(3, width=8))


def test_too_many_components_and_a_wrong_divisor_are_refused():
    with pytest.raises(InputError, match=r"30 principal components .* at most 20"):
        fit_pixel_pca(_pictures(20), num_components=30, seed=0)
    with pytest.raises(InputError, match=r"8x12 px .* squares of 5 px"):
        fit_pixel_pca(_pictures(20), num_components=2, seed=0, downscale=5)
