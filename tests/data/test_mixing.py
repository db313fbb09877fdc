import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecgmae_jax.data.mixing import cutmix, mix_batch, mixup, smooth_labels


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 12, 20, 1)).astype(np.uint8)


@pytest.fixture
def labels():
    return np.eye(4, 3, dtype=np.float32) + np.eye(4, 3, -3, dtype=np.float32)


def test_mixup_is_the_weighted_mean_with_the_reverse(images, labels):
    mixed, soft = mixup(images, labels, share=0.7)
    for i, j in enumerate((3, 2, 1, 0)):
        expected = 0.7 * images[i].astype(float) + 0.3 * images[j].astype(float)
        assert np.abs(mixed[i] - expected).max() <= 0.5 + 1e-4
        np.testing.assert_allclose(soft[i], 0.7 * labels[i] + 0.3 * labels[j], rtol=1e-6)


@hypothesis.given(st.integers(0, 2**32), st.integers(0, 10**9))
def test_label_mass_is_kept(seed, step):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    labels = np.eye(5, dtype=np.float32)[rng.integers(5, size=6)]
    _, soft = mix_batch(images, labels, seed=seed, step=step)
    np.testing.assert_allclose(soft.sum(-1), 1, rtol=1e-6)


@hypothesis.given(st.floats(0, 1), st.integers(0, 2**32))
def test_cutmix_labels_go_by_the_pixels_taken(share, seed):
    # Pixel values say whose pixel it is, so that the share can be counted on the picture.
    images = np.broadcast_to(np.array([1, 2], np.uint8)[:, None, None, None], (2, 9, 14, 1))
    rng = np.random.default_rng(seed)
    mixed, soft = cutmix(images, np.eye(2, dtype=np.float32), share=share, rng=rng)
    np.testing.assert_allclose(soft[:, 0], (mixed == 1).mean((1, 2, 3)), atol=1e-6)
    rows, columns = np.nonzero(mixed[0, :, :, 0] == 2)
    if rows.size:
        assert rows.size == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_one_method_per_batch_from_seed_and_step_alone(images, labels):
    kinds = []
    for step in range(200):
        mixed, soft = mix_batch(images, labels, seed=5, step=step)
        again, soft_again = mix_batch(images, labels, seed=5, step=step)
        np.testing.assert_array_equal(mixed, again)
        np.testing.assert_array_equal(soft, soft_again)
        from_either = (mixed == images) | (mixed == images[::-1])
        kinds.append(from_either.all())
    # CutMix copies pixels, mixup does not: about half of the batches each, within 4 deviations.
    assert 72 <= sum(kinds) <= 128


def test_probability_zero_leaves_the_batch_alone(images, labels):
    mixed, soft = mix_batch(images, labels, seed=0, step=0, probability=0.0)
    assert mixed is images
    assert soft is labels


def test_unknown_labels_stay_unknown_and_inputs_are_not_written(images, labels):
    labels[0] = np.nan
    before = images.copy()
    _, soft = mixup(images, labels, share=0.6)
    assert np.isnan(soft[[0, 3]]).all()
    assert np.isfinite(soft[[1, 2]]).all()
    cutmix(images, labels, share=0.3, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)


def test_smoothing_moves_towards_uniform():
    labels = np.array([[1, 0, 0, 0]], np.float32)
    exclusive = smooth_labels(labels, smoothing=0.1, exclusive=True)
    np.testing.assert_allclose(exclusive, [[0.925, 0.025, 0.025, 0.025]], rtol=1e-6)
    several = smooth_labels(labels, smoothing=0.1, exclusive=False)
    np.testing.assert_allclose(several, [[0.95, 0.05, 0.05, 0.05]], rtol=1e-6)
