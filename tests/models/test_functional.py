import functools

import jax
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from ecgmae_jax.models.functional import bind, init_params, model_graph, num_params
from ecgmae_jax.models.mae import MAE, mae_loss


@pytest.fixture(scope="module")
def make(mae_config):
    return functools.partial(MAE, mae_config)


@pytest.fixture(scope="module")
def init(make):
    return jax.jit(functools.partial(init_params, make))


def test_parameters_depend_on_the_key_alone(init):
    first, same, other = (init(jax.random.key(seed)) for seed in (0, 0, 1))
    jax.tree.map(np.testing.assert_array_equal, first, same)
    kernels = [params["decoder"]["embed"]["kernel"] for params in (first, other)]
    assert np.abs(kernels[0] - kernels[1]).max() > 0.1


def test_parameters_are_created_in_their_places(make, init):
    mesh = jax.make_mesh((8,), ("fsdp",), axis_types=(AxisType.Auto,))
    shapes = jax.eval_shape(functools.partial(init_params, make), jax.random.key(0))
    places = jax.tree.map(
        lambda shape: NamedSharding(
            mesh, PartitionSpec(*[None] * (shape.ndim - 1), "fsdp" if shape.ndim > 1 else None)
        ),
        shapes,
    )
    sharded_init = jax.jit(functools.partial(init_params, make), out_shardings=places)
    params = sharded_init(jax.random.key(0))
    assert params["decoder"]["embed"]["kernel"].addressable_shards[0].data.shape == (24, 2)
    jax.tree.map(np.testing.assert_array_equal, params, init(jax.random.key(0)))


def test_the_loss_is_a_pure_function_of_parameters_batch_and_key(make, init, images):
    graph = model_graph(make)
    assert hash(graph) == hash(model_graph(make))
    loss = jax.jit(lambda params, images, key: mae_loss(bind(graph, params), images, key=key)[0])
    params = init(jax.random.key(0))
    first = loss(params, images, jax.random.key(1))
    assert first == loss(params, images, jax.random.key(1))
    assert first != loss(params, images, jax.random.key(2))


def test_parameters_are_counted():
    assert num_params({"a": np.zeros((2, 3)), "b": {"c": np.zeros(4)}}) == 10
