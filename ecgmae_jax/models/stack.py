"""Transformer blocks whose parameters are stacked along a leading axis of layers."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float32, PRNGKeyArray

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.layers import PRODUCT, Block

# What is kept for the backward pass besides each block's input.
_KEPT = {"blocks": (), "products": (PRODUCT,)}


def make_blocks(
    *, width: int, depth: int, heads: int, mlp_ratio: int, key: PRNGKeyArray, compute: Compute
) -> Block:
    """`depth` blocks in one: a block whose parameters have a leading axis of layers."""
    make_block = functools.partial(
        Block, width=width, heads=heads, mlp_ratio=mlp_ratio, compute=compute
    )
    params = jax.vmap(functools.partial(init_params, make_block))(jax.random.split(key, depth))
    return bind(model_graph(make_block), params)


def run_blocks(
    blocks: Block,
    x: Float32[Array, "b s d"],
    *,
    compute: Compute,
    drop_path: float = 0.0,
    key: PRNGKeyArray | None = None,
) -> Float32[Array, "b s d"]:
    """The tokens after one block after another.

    Args:
        blocks: from `make_blocks`.
        x: tokens.
        compute: whether to run the blocks as a loop, and what to keep for the backward pass.
        drop_path: rate of the last block; it grows linearly from 0 in the first.
        key: drops paths at random; none are dropped without it.
    """
    graph, state = nnx.split(blocks)
    params = nnx.to_pure_dict(state)

    def run_block(x, layer):
        params, drop = layer
        return bind(graph, params)(x, **drop), None

    if compute.remat != "none":
        policy = jax.checkpoint_policies.save_only_these_names(*_KEPT[compute.remat])
        # Within a loop the compiler cannot merge the two computations; written out it can.
        run_block = jax.checkpoint(run_block, prevent_cse=compute.unroll, policy=policy)
    drops = {}
    if key is not None and drop_path > 0:
        depth = jax.tree.leaves(params)[0].shape[0]
        drops["drop_rate"] = jnp.linspace(0.0, drop_path, depth)
        drops["key"] = jax.random.split(key, depth)
    return jax.lax.scan(run_block, x, (params, drops), unroll=compute.unroll)[0]
