import jax
import jax.numpy as jnp
import numpy as np

from ecgmae_jax.models.regression import squared_losses


def test_the_loss_is_the_squared_error_in_deviations():
    scores, values = jnp.array([[0.5], [-1.0], [3.0]]), jnp.array([[60.0], [jnp.nan], [40.0]])
    losses, known = squared_losses(scores, values, mean=50.0, deviation=10.0)
    np.testing.assert_allclose(losses, [0.25, 0.0, 16.0])
    np.testing.assert_array_equal(known, [1, 0, 1])


def test_the_mean_costs_one_and_the_unknown_teaches_nothing():
    values = np.random.default_rng(0).normal(50, 10, (400, 1)).astype(np.float32)
    scale = {"mean": float(values.mean()), "deviation": float(values.std())}
    losses, _ = squared_losses(jnp.zeros((400, 1)), jnp.asarray(values), **scale)
    np.testing.assert_allclose(losses.mean(), 1, rtol=1e-5)
    values[3] = np.nan

    def loss(scores):
        return squared_losses(scores, jnp.asarray(values), **scale)[0].sum()

    slopes = jax.grad(loss)(jnp.zeros((400, 1)))
    assert np.isfinite(slopes).all()
    assert slopes[3, 0] == 0
