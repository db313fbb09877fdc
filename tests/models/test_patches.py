import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.patches import patch_grid, patchify, unpatchify


def test_values_are_ordered_patch_row_patch_column_channel():
    images = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    patches = np.asarray(patchify(jnp.asarray(images), patch_size=(2, 3)))
    assert patches.shape == (2, 4, 18)
    for image, row, column in np.ndindex(2, 2, 2):
        for y, x, channel in np.ndindex(2, 3, 3):
            value = patches[image, 2 * row + column, (y * 3 + x) * 3 + channel]
            assert value == images[image, 2 * row + y, 3 * column + x, channel]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("patch_size", [(4, 4), (2, 8), (8, 1), (8, 24)])
def test_unpatchify_inverts_patchify(patch_size, channels):
    images = np.random.default_rng(0).integers(0, 255, (2, 8, 24, channels), np.uint8)
    patches = patchify(jnp.asarray(images), patch_size=patch_size)
    restored = unpatchify(patches, image_size=(8, 24), patch_size=patch_size)
    assert restored.dtype == np.uint8
    np.testing.assert_array_equal(restored, images)


def test_patches_that_do_not_tile_are_refused():
    with pytest.raises(InputError, match=r"16x16 do not tile an image of 384x500 .*change patch"):
        patch_grid((384, 500), (16, 16))
