"""Modules as pure functions: parameters are a plain nested dict, the structure is a static graph.

A model is made by a function of one keyword, `key`, such as `functools.partial(MAE, config)`.
`init_params` works under `jax.eval_shape` and under `jax.jit` with `out_shardings`; `bind` inside
`jax.grad` or `jax.lax.scan`. Modules therefore hold `nnx.Param` only.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
from flax import nnx
from jaxtyping import PRNGKeyArray

Params = dict[str, Any]
Module = TypeVar("Module", bound=nnx.Module)


def init_params(make_model: Callable[..., nnx.Module], key: PRNGKeyArray) -> Params:
    """Freshly drawn parameters of the model that `make_model` builds, as nested dicts."""
    return nnx.to_pure_dict(nnx.state(make_model(key=key), nnx.Param))


def model_graph(make_model: Callable[..., nnx.Module]) -> nnx.GraphDef:
    """The model's structure without parameters; hashable, nothing is allocated."""
    return nnx.split(nnx.eval_shape(lambda: make_model(key=jax.random.key(0))))[0]


def bind(graph: nnx.GraphDef[Module], params: Params) -> Module:
    """The model of this structure with these parameters."""
    return nnx.merge(graph, nnx.State(params))


def num_params(params: Params) -> int:
    """Number of scalars in a tree of arrays or of their shapes."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
