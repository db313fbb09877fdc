import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.functional import bind
from ecgmae_jax.models.stack import make_blocks, run_blocks

WAYS = [
    PLAIN,
    Compute(unroll=True),
    Compute(remat="blocks"),
    Compute(remat="products"),
    Compute(unroll=True, remat="blocks"),
]


@pytest.fixture(scope="module")
def graph_and_params():
    blocks = make_blocks(
        width=8, depth=2, heads=2, mlp_ratio=4, key=jax.random.key(0), compute=PLAIN
    )
    graph, state = nnx.split(blocks)
    return graph, nnx.to_pure_dict(state)


def test_blocks_run_one_after_another(graph_and_params, reference):
    graph, params = graph_and_params
    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)
    expected = x
    for number in range(2):
        layer = jax.tree.map(lambda stacked, i=number: np.asarray(stacked[i]), params)
        expected = np.stack([reference.block(tokens, layer, heads=2) for tokens in expected])
    output = run_blocks(bind(graph, params), jnp.asarray(x), compute=PLAIN)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_every_way_to_run_them_agrees(graph_and_params):
    graph, params = graph_and_params
    x = jax.random.normal(jax.random.key(1), (2, 5, 8))

    def loss(params, compute):
        return jnp.mean(run_blocks(bind(graph, params), x, compute=compute) ** 2)

    gradient = jax.jit(jax.value_and_grad(loss), static_argnums=1)
    expected = gradient(params, PLAIN)
    for compute in WAYS[1:]:
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
            gradient(params, compute),
            expected,
        )


def test_unrolling_removes_the_loop_and_remat_marks_it(graph_and_params):
    graph, params = graph_and_params
    x = jnp.zeros((1, 2, 8))

    def programs(compute):
        def run(params):
            return run_blocks(bind(graph, params), x, compute=compute)

        return str(jax.make_jaxpr(run)(params)), jax.jit(run).lower(params).as_text()

    looped = programs(PLAIN)
    assert "while" in looped[1] and "while" not in programs(Compute(unroll=True))[1]
    assert "remat" in programs(Compute(remat="blocks"))[0] and "remat" not in looped[0]


def test_remat_keeps_the_less_the_more_it_computes_again(graph_and_params):
    graph, params = graph_and_params
    x = jnp.zeros((2, 5, 8))

    def kept(remat):
        def run(x):
            return run_blocks(bind(graph, params), x, compute=Compute(remat=remat)).sum()

        residuals = jax.eval_shape(lambda x: jax.vjp(run, x)[1], x)
        return sum(leaf.size for leaf in jax.tree.leaves(residuals))

    assert kept("blocks") < kept("products") < kept("none")


def test_layers_start_different(graph_and_params):
    kernel = graph_and_params[1]["attention"]["qkv"]["kernel"]
    assert kernel.shape == (2, 8, 24)
    assert np.abs(kernel[0] - kernel[1]).max() > 0.1


def test_drop_path_grows_from_nothing_to_its_rate(graph_and_params):
    graph, params = graph_and_params
    first, second = (
        bind(graph, jax.tree.map(lambda stacked, i=i: stacked[i], params)) for i in range(2)
    )
    x = jnp.tile(jax.random.normal(jax.random.key(1), (1, 4, 8)), (400, 1, 1))
    output = run_blocks(
        bind(graph, params), x, compute=PLAIN, drop_path=0.25, key=jax.random.key(3)
    )
    after_first = first(x[:1])
    # The first block is never dropped; of the second each half is, or is scaled up.
    branches = []
    for attention, mlp in itertools.product((0, 4 / 3), repeat=2):
        middle = after_first + attention * second.attention(second.norm1(after_first))
        branches.append(middle + mlp * second.mlp(second.norm2(middle)))
    distances = np.stack([np.abs(output - branch).max(axis=(1, 2)) for branch in branches])
    assert distances.min(axis=0).max() < 1e-5
    share = np.bincount(distances.argmin(axis=0), minlength=4) / 400
    np.testing.assert_allclose(share, [1 / 16, 3 / 16, 3 / 16, 9 / 16], atol=0.1)
