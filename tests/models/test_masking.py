import jax
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.masking import mask_from_noise, num_visible, random_mask


def test_the_smallest_noise_stays_visible_in_ascending_order():
    noise = np.array([[0.5, 0.1, 0.9, 0.3], [0.2, 0.8, 0.4, 0.6]], np.float32)
    mask = mask_from_noise(jax.numpy.asarray(noise), ratio=0.5)
    np.testing.assert_array_equal(mask.visible, [[1, 3], [0, 2]])
    np.testing.assert_array_equal(mask.hidden, [[1, 0, 1, 0], [0, 1, 0, 1]])
    np.testing.assert_array_equal(mask.restore, [[2, 0, 3, 1], [0, 3, 1, 2]])


def test_restore_puts_visible_and_hidden_patches_back():
    mask = random_mask(jax.random.key(0), batch=5, num_patches=15, ratio=0.7)
    for visible, restore, hidden in zip(*mask, strict=True):
        sequence = np.concatenate([visible, np.flatnonzero(hidden)])
        assert sorted(restore) == list(range(15))
        # Hidden patches have no order of their own here, so only their places are compared.
        np.testing.assert_array_equal(sequence[restore][hidden == 0], np.flatnonzero(hidden == 0))
        np.testing.assert_array_equal(restore >= len(visible), hidden == 1)


def test_every_image_has_its_own_mask_and_no_patch_is_preferred():
    mask = random_mask(jax.random.key(1), batch=4000, num_patches=12, ratio=0.75)
    np.testing.assert_array_equal(np.sum(mask.hidden, axis=1), 9)
    assert len(np.unique(mask.hidden, axis=0)) == 220  # all the ways to keep 3 of 12
    frequency = np.mean(mask.hidden, axis=0)
    assert np.abs(frequency - 0.75).max() < 4 * np.sqrt(0.75 * 0.25 / 4000)


@pytest.mark.parametrize(
    ("num_patches", "ratio", "expected"), [(196, 0.75, 49), (50, 0.75, 12), (10, 0.7, 3)]
)
def test_the_visible_share_is_rounded_down(num_patches, ratio, expected):
    assert num_visible(num_patches, ratio=ratio) == expected


@pytest.mark.parametrize(("num_patches", "ratio", "visible"), [(4, 0.8, 0), (16, 0.0, 16)])
def test_nothing_visible_or_nothing_hidden_is_refused(num_patches, ratio, visible):
    message = f"mask_ratio {ratio} leaves {visible} of {num_patches} patches visible"
    with pytest.raises(InputError, match=message):
        num_visible(num_patches, ratio=ratio)
