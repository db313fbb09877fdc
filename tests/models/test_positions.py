import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.positions import sincos_2d, with_cls_position


def test_positions_follow_the_formula(reference):
    positions = with_cls_position(sincos_2d((3, 5), width=16))
    assert positions.dtype == np.float32
    np.testing.assert_allclose(positions, reference.positions((3, 5), 16), atol=1e-6)
    assert not positions[0].any()


def test_columns_come_first():
    positions = sincos_2d((3, 5), width=16).reshape(3, 5, 16)
    columns, rows = positions[..., :8], positions[..., 8:]
    np.testing.assert_array_equal(columns, np.broadcast_to(columns[:1], columns.shape))
    np.testing.assert_array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape))


def test_frequencies_stop_short_of_the_longest_period():
    # k / (D/4) for k < D/4, not k / (D/4 - 1): the slowest of four is 10000**-0.75, not 10000**-1.
    slowest_sine = sincos_2d((1, 2), width=16)[1, 3]
    np.testing.assert_allclose(slowest_sine, np.sin(10000**-0.75), rtol=1e-6)


def test_width_must_be_a_multiple_of_four():
    with pytest.raises(InputError, match="width 18 is not a multiple of 4"):
        sincos_2d((2, 2), width=18)
