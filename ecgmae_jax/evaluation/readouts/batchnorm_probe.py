"""The linear probe of the reference: batch normalisation without parameters, one layer, LARS.

He et al. 2022, table 10: 90 epochs of ImageNet, which are 7,020 updates of 16,384 pictures. A
cohort is smaller than one such batch, so that here updates are counted and not epochs.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Float64, Int, PRNGKeyArray

Params = dict[str, jax.Array]

# Learning rate of a batch of 256; batches of other sizes have it in proportion.
_BASE_RATE = 0.1
_WARMUP = 10 / 90
_EPS = 1e-6
_RUNNING = 0.1


def batchnorm_probabilities(
    features: Float32[np.ndarray, "b d"],
    truth: Float[np.ndarray, "b k"],
    queries: Float32[np.ndarray, "q d"],
    *,
    exclusive: bool,
    steps: int,
    batch_size: int,
    seed: int,
) -> Float64[np.ndarray, "q k"]:
    """Probabilities of the queries by the reference probe, fitted on `features`.

    Cross entropy with a softmax for classes that exclude each other, else with a logistic function
    each. The learning rate is that of `batch_size` even where there are fewer records, all of
    which are then in every update.

    Args:
        features: of the training records.
        truth: 0 or 1.
        queries: features of the records to judge.
        exclusive: the classes exclude each other.
        steps: updates; the first ninth warms up, then the rate falls as a cosine to 0.
        batch_size: records in an update.
        seed: of the first weights and of the order.
    """
    params, mean, variance = _train(
        jnp.asarray(features),
        jnp.asarray(truth, jnp.float32),
        jax.random.key(seed),
        exclusive=exclusive,
        steps=steps,
        batch_size=batch_size,
    )
    rows = _normalise(jnp.asarray(queries), mean, variance)
    scores = rows @ params["kernel"] + params["bias"][None]
    found = jax.nn.softmax(scores, axis=1) if exclusive else jax.nn.sigmoid(scores)
    return np.asarray(found, np.float64)


def make_lars(rate: optax.ScalarOrSchedule) -> optax.GradientTransformation:
    """LARS as the reference has it: trust coefficient 0.001, momentum 0.9, no decay.

    Biases take plain steps. The rate multiplies the momentum; in `optax.lars` it is inside, where
    a schedule acts late.
    """
    return optax.chain(
        optax.masked(
            optax.scale_by_trust_ratio(trust_coefficient=0.001),
            lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params),
        ),
        optax.trace(decay=0.9),
        optax.scale_by_learning_rate(rate),
    )


@functools.partial(jax.jit, static_argnames=("exclusive", "steps", "batch_size"))
def _train(
    features: Float32[Array, "b d"],
    truth: Float32[Array, "b k"],
    key: PRNGKeyArray,
    *,
    exclusive: bool,
    steps: int,
    batch_size: int,
) -> tuple[Params, Float32[Array, " d"], Float32[Array, " d"]]:
    """The layer, and the running mean and variance of the features."""
    peak = _BASE_RATE * batch_size / 256
    rate = optax.warmup_cosine_decay_schedule(0.0, peak, round(_WARMUP * steps), steps)
    optimizer = make_lars(rate)
    width, num_classes = features.shape[1], truth.shape[1]
    init_key, order_key = jax.random.split(key)
    params: Params = {
        "kernel": 0.01 * jax.random.normal(init_key, (width, num_classes)),
        "bias": jnp.zeros(num_classes),
    }

    def update(carry: tuple, step: Int[Array, ""]) -> tuple[tuple, None]:
        params, state, mean, variance = carry
        rows = _rows_of_batch(order_key, step, num_rows=len(features), batch_size=batch_size)
        batch, targets = features[rows], truth[rows]
        batch_mean, batch_variance = batch.mean(axis=0), batch.var(axis=0)
        normalised = _normalise(batch, batch_mean, batch_variance)
        gradient = jax.grad(_loss)(params, normalised, targets, exclusive=exclusive)
        updates, state = optimizer.update(gradient, state, params)
        unbiased = batch_variance * len(batch) / max(len(batch) - 1, 1)
        mean += _RUNNING * (batch_mean - mean)
        variance += _RUNNING * (unbiased - variance)
        return (optax.apply_updates(params, updates), state, mean, variance), None

    first = (params, optimizer.init(params), jnp.zeros(width), jnp.ones(width))
    (params, _, mean, variance), _ = jax.lax.scan(update, first, jnp.arange(steps))
    return params, mean, variance


def _rows_of_batch(
    key: PRNGKeyArray, step: Int[Array, ""], *, num_rows: int, batch_size: int
) -> Int[Array, " n"]:
    """Rows of one update: every epoch shuffles anew and drops what does not fill a batch."""
    if batch_size >= num_rows:
        return jnp.arange(num_rows)
    per_epoch = num_rows // batch_size
    order = jax.random.permutation(jax.random.fold_in(key, step // per_epoch), num_rows)
    return jax.lax.dynamic_slice_in_dim(order, step % per_epoch * batch_size, batch_size)


def _normalise(
    rows: Float32[Array, "b d"], mean: Float32[Array, " d"], variance: Float32[Array, " d"]
) -> Float32[Array, "b d"]:
    return (rows - mean[None]) * jax.lax.rsqrt(variance + _EPS)[None]


def _loss(
    params: Params, rows: Float32[Array, "b d"], truth: Float32[Array, "b k"], *, exclusive: bool
) -> Float32[Array, ""]:
    scores = rows @ params["kernel"] + params["bias"][None]
    if exclusive:
        return optax.softmax_cross_entropy(scores, truth).mean()
    return optax.sigmoid_binary_cross_entropy(scores, truth).mean()
