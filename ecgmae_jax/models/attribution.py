"""How much each patch of an image contributes to what a vision transformer says.

Apart from the model: attention is computed fused and its shares are not kept, so here they are
computed again from each block's input.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Float32

from ecgmae_jax.models.functional import bind
from ecgmae_jax.models.layers import Block
from ecgmae_jax.models.patches import patchify
from ecgmae_jax.models.positions import sincos_2d, with_cls_position
from ecgmae_jax.models.vit import Encoder, pool

Score = Callable[[Float[Array, "b h w c"]], Float[Array, " b"]]


def integrated_gradients(
    score: Score,
    images: Float32[Array, "b h w c"],
    *,
    baseline: Float32[Array, "b h w c"],
    steps: int,
) -> Float32[Array, "b h w c"]:
    """What each pixel adds to the score on the straight way from a baseline to the image.

    Sundararajan et al. 2017: the gradients at the middles of `steps` equal parts of the way,
    averaged, times the way. Up to the error of that sum it totals
    `score(images) - score(baseline)`. Patches are embedded linearly, so the sum over a patch's
    pixels is the attribution of its embedding.
    """
    way = images - baseline

    def add(total, part):
        gradient = jax.grad(lambda pixels: score(pixels).sum())(baseline + part * way)
        return total + gradient, None

    parts = (jnp.arange(steps, dtype=jnp.float32) + 0.5) / steps
    total, _ = jax.lax.scan(add, jnp.zeros_like(images), parts)
    return way * total / steps


def attention_rollout(
    encoder: Encoder, images: Float32[Array, "b h w c"], *, pooling: str
) -> Float32[Array, "b n"]:
    """The share of each patch in the pooled features, if attention were all that mixes tokens.

    Abnar & Zuidema 2020: the product over blocks of the mean over heads, half of which is the
    residual connection. Rows of the classification token are left out; each image sums to 1.
    """

    def mix(carried, params):
        tokens, mixed = carried
        block = bind(graph, params)
        shares = attention_shares(block, tokens).mean(axis=1)
        return (block(tokens), (mixed + shares @ mixed) / 2), None

    graph, state = nnx.split(encoder.blocks)
    tokens = embed(encoder, images)
    batch, count, _ = tokens.shape
    nothing_mixed = jnp.broadcast_to(jnp.eye(count), (batch, count, count))
    (_, mixed), _ = jax.lax.scan(mix, (tokens, nothing_mixed), nnx.to_pure_dict(state))
    patches = pool(mixed, pooling=pooling).reshape(batch, -1, count).mean(axis=1)[:, 1:]
    return patches / patches.sum(axis=1, keepdims=True)


def attention_shares(
    block: Block, tokens: Float32[Array, "b s d"]
) -> Float32[Array, "b heads s s"]:
    """How much of each token (last axis) every token gathers in a block, per head."""
    attention = block.attention
    batch, count, width = tokens.shape
    shape = (batch, count, 3, attention.heads, width // attention.heads)
    qkv = attention.qkv(block.norm1(tokens)).astype(jnp.float32).reshape(shape)
    query, key = qkv[:, :, 0] * shape[-1] ** -0.5, qkv[:, :, 1]
    return jax.nn.softmax(jnp.einsum("bqhe,bkhe->bhqk", query, key))


def embed(encoder: Encoder, images: Float32[Array, "b h w c"]) -> Float32[Array, "b s d"]:
    """The tokens that enter the first block, all patches visible."""
    config = encoder.config
    if encoder.positions is None:
        fixed = with_cls_position(sincos_2d(config.grid, width=config.width))
        positions = jnp.asarray(fixed)[None]
    else:
        positions = encoder.positions[...]
    patches = encoder.patch_projection(patchify(images, patch_size=config.patch_size))
    cls_token = jnp.broadcast_to(encoder.cls_token[...], (len(images), 1, config.width))
    return jnp.concatenate([cls_token, patches.astype(jnp.float32)], axis=1) + positions
