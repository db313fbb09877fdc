"""The loss of an outcome that is a value."""

import jax.numpy as jnp
from jaxtyping import Array, Float32


def squared_losses(
    scores: Float32[Array, "b 1"], values: Float32[Array, "b 1"], *, mean: float, deviation: float
) -> tuple[Float32[Array, " b"], Float32[Array, " b"]]:
    """Each example's squared error, and 1 where its value is known (0, and loss 0, where not).

    Scores are in deviations from the mean, so that 0 answers the mean and costs about 1.
    """
    known = ~jnp.isnan(values[:, 0])
    wanted = jnp.where(known, (values[:, 0] - mean) / deviation, 0.0)
    return jnp.where(known, (scores[:, 0] - wanted) ** 2, 0.0), known.astype(jnp.float32)
