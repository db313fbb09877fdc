"""A probe that chooses where to look: learned queries attend to the tokens of a frozen encoder.

Each query weighs the tokens by a softmax over its products with them; the weighted means of all
queries, side by side, enter one linear layer. There is neither a key nor a value matrix, which the
linear layer makes dispensable (after Psomas et al. 2026, "efficient probing").
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Float64, PRNGKeyArray
from sklearn.model_selection import GroupShuffleSplit

Params = dict[str, jax.Array]

# Share of the training patients whose loss decides when to stop, and how often it is looked at.
_HELD_OUT = 0.2
_STEPS_PER_ROUND = 50
_ROWS_PER_BLOCK = 256


@dataclasses.dataclass(frozen=True)
class AttentiveSettings:
    """How an attentive probe is fitted: AdamW, a tenth of warm-up, then a cosine to 0.

    Attributes:
        heads: learned queries.
        steps: updates, rounded up to a multiple of 50.
        batch_size: records in an update, at most all of them.
        peak_rate: learning rate after warm-up.
        weight_decay: on all but the biases.
    """

    heads: int
    steps: int
    batch_size: int
    peak_rate: float
    weight_decay: float


def attentive_probabilities(
    features: Float32[np.ndarray, "b f"],
    truth: Float[np.ndarray, "b k"],
    queries: Float32[np.ndarray, "q f"],
    groups: np.ndarray,
    *,
    num_tokens: int,
    exclusive: bool,
    settings: AttentiveSettings,
    seed: int,
) -> Float64[np.ndarray, "q k"]:
    """Probabilities of the queries by an attentive probe fitted on `features`.

    A fifth of the training patients is held out, and the parameters are those with the least loss
    on them. Tokens are centred and scaled, each channel by its mean and deviation over the records
    fitted on.

    Args:
        features: the tokens of each training record, one after the other.
        truth: 0 or 1.
        queries: the tokens of the records to judge.
        groups: patient of each training record.
        num_tokens: how many tokens a row of `features` holds.
        exclusive: the classes exclude each other: softmax, else a logistic function each.
        settings: of the fit.
        seed: of the held-out patients and the order.
    """
    split = GroupShuffleSplit(1, test_size=_HELD_OUT, random_state=seed)
    fitted_on, held_out = next(split.split(features, groups=groups))
    targets = truth.astype(np.float32)
    tokens = features[fitted_on].reshape(len(fitted_on), num_tokens, -1)
    mean, scale = tokens.mean(axis=(0, 1)), tokens.std(axis=(0, 1))
    scale = np.where(scale > 0, scale, 1).astype(np.float32)

    def standardised(rows: Float32[np.ndarray, "b f"]) -> Float32[np.ndarray, "b n d"]:
        return (rows.reshape(len(rows), num_tokens, -1) - mean) / scale

    params = _fit(
        standardised(features[fitted_on]),
        targets[fitted_on],
        standardised(features[held_out]),
        targets[held_out],
        exclusive=exclusive,
        settings=settings,
        seed=seed,
    )
    scores = _in_blocks(params, standardised(queries))
    return np.asarray((jax.nn.softmax if exclusive else jax.nn.sigmoid)(scores), np.float64)


@jax.jit
def attentive_scores(params: Params, tokens: Float32[Array, "b n d"]) -> Float32[Array, "b k"]:
    """Scores before softmax or sigmoid.

    `params` holds `queries` (h, d), `kernel` (h * d, k) and `bias` (k,).
    """
    similarity = jnp.einsum("bnd,hd->bhn", tokens, params["queries"]) / tokens.shape[2] ** 0.5
    pooled = jnp.einsum("bhn,bnd->bhd", jax.nn.softmax(similarity, axis=2), tokens)
    return pooled.reshape(len(tokens), -1) @ params["kernel"] + params["bias"][None]


def _fit(
    tokens: Float32[np.ndarray, "b n d"],
    truth: Float32[np.ndarray, "b k"],
    held_out: Float32[np.ndarray, "q n d"],
    held_truth: Float32[np.ndarray, "q k"],
    *,
    exclusive: bool,
    settings: AttentiveSettings,
    seed: int,
) -> Params:
    """The parameters with the least loss on the records held out."""
    params = _first(tokens.shape[2], truth.shape[1], heads=settings.heads, seed=seed)
    rounds = -(-settings.steps // _STEPS_PER_ROUND)
    optimizer = _optimizer(settings, steps=rounds * _STEPS_PER_ROUND)
    batch_size = min(settings.batch_size, len(tokens))
    stored, targets = jnp.asarray(tokens), jnp.asarray(truth)

    # Arguments and not parts of the program, which would hold a copy of all tokens.
    @jax.jit
    def run_round(params, state, key, stored, targets):
        def update(carry: tuple, key: PRNGKeyArray) -> tuple[tuple, None]:
            params, state = carry
            rows = jax.random.permutation(key, len(stored))[:batch_size]
            gradient = jax.grad(_loss)(params, stored[rows], targets[rows], exclusive=exclusive)
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(update, (params, state), jax.random.split(key, _STEPS_PER_ROUND))[0]

    state, best, least = optimizer.init(params), params, np.inf
    for key in jax.random.split(jax.random.key(seed), rounds):
        params, state = run_round(params, state, key, stored, targets)
        scores = _in_blocks(params, held_out)
        loss = float(_cross_entropy(scores, jnp.asarray(held_truth), exclusive=exclusive))
        if loss < least:
            best, least = params, loss
    return best


def _first(width: int, num_classes: int, *, heads: int, seed: int) -> Params:
    """Queries near 0, which is mean pooling, yet not alike; a linear layer that says nothing."""
    return {
        "queries": 0.02 * jax.random.normal(jax.random.key(seed), (heads, width)),
        "kernel": jnp.zeros((heads * width, num_classes)),
        "bias": jnp.zeros(num_classes),
    }


def _optimizer(settings: AttentiveSettings, *, steps: int) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(0.0, settings.peak_rate, steps // 10, steps)
    return optax.adamw(
        rate,
        weight_decay=settings.weight_decay,
        mask=lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params),
    )


def _loss(
    params: Params,
    tokens: Float32[Array, "b n d"],
    truth: Float32[Array, "b k"],
    *,
    exclusive: bool,
) -> Float32[Array, ""]:
    return _cross_entropy(attentive_scores(params, tokens), truth, exclusive=exclusive)


def _cross_entropy(
    scores: Float32[Array, "b k"], truth: Float32[Array, "b k"], *, exclusive: bool
) -> Float32[Array, ""]:
    if exclusive:
        return optax.softmax_cross_entropy(scores, truth).mean()
    return optax.sigmoid_binary_cross_entropy(scores, truth).mean()


def _in_blocks(params: Params, tokens: Float32[np.ndarray, "b n d"]) -> Float32[Array, "b k"]:
    parts = [
        attentive_scores(params, jnp.asarray(tokens[i : i + _ROWS_PER_BLOCK]))
        for i in range(0, len(tokens), _ROWS_PER_BLOCK)
    ]
    return jnp.concatenate(parts)
