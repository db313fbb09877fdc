import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.pooling import pool_patches, regional_means, regions_of


@pytest.fixture
def tokens():
    return jnp.asarray(np.random.default_rng(0).normal(size=(3, 6 * 8, 5)), jnp.float32)


def test_regions_are_means_of_blocks_row_by_row(tokens):
    found = pool_patches(tokens, grid=(6, 8), pooling="regional-2x4")
    blocks = np.asarray(tokens).reshape(3, 2, 3, 4, 2, 5).mean(axis=(2, 4))
    np.testing.assert_allclose(found, blocks.reshape(3, -1), atol=1e-6)


def test_a_cell_on_a_border_counts_by_its_share():
    maps = jnp.asarray([[1.0, 10.0, 100.0]], jnp.float32).reshape(1, 1, 3, 1)
    found = regional_means(maps, regions=(1, 2))
    np.testing.assert_allclose(found, [[(1 + 5) / 1.5, (5 + 100) / 1.5]], rtol=1e-6)


def test_as_many_regions_as_patches_keep_every_token(tokens):
    found = pool_patches(tokens, grid=(6, 8), pooling="regional-6x8")
    np.testing.assert_allclose(found, tokens.reshape(3, -1), atol=1e-6)


def test_mean_and_deviation_stand_side_by_side(tokens):
    found = pool_patches(tokens, grid=(6, 8), pooling="mean+std")
    expected = [np.mean(tokens, axis=1), np.std(tokens, axis=1)]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-6)


def test_other_poolings_and_too_many_regions_are_refused(tokens):
    with pytest.raises(
        InputError, match=r"'median'; choose mean, cls, both, mean\+std or regional"
    ):
        regions_of("median")
    with pytest.raises(InputError, match=r"7x8 regions of 6x8 cells"):
        pool_patches(tokens, grid=(6, 8), pooling="regional-7x8")
