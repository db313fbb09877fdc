import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.extend.core import jaxprs_in_params

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.layers import (
    Block,
    Linear,
    Mlp,
    drop_path,
    make_layer_norm,
    matmul,
    xavier_uniform,
)

KEY = jax.random.key(0)


def _block(width, *, heads, compute=PLAIN):
    return Block(width=width, heads=heads, mlp_ratio=4, key=KEY, compute=compute)


def _params(module):
    return nnx.to_pure_dict(nnx.state(module, nnx.Param))


def test_gelu_is_exact():
    one = Linear(jnp.ones((1, 1)), compute=PLAIN)
    mlp = Mlp(one, one)
    for value in (-2.5, -0.5, 0.7, 2.5):
        exact = value * (1 + math.erf(value / math.sqrt(2))) / 2
        # The usual tanh approximation is 3e-4 away at 2.5.
        np.testing.assert_allclose(mlp(jnp.full((1, 1, 1), value))[0, 0, 0], exact, atol=1e-6)


def test_layer_norm_epsilon_is_one_millionth():
    x = jnp.asarray([[[1e-3, -1e-3]]])  # variance 1e-6, so that epsilon halves the square
    np.testing.assert_allclose(make_layer_norm(2)(x), [[[0.5**0.5, -(0.5**0.5)]]], rtol=1e-5)


def test_layer_norm_keeps_its_precision_far_from_zero():
    x = np.array([[[4096.0, 4096.5, 4097.0, 4097.5]]], np.float32)
    exact = (x - 4096.75) / np.sqrt(0.3125 + 1e-6)
    np.testing.assert_allclose(make_layer_norm(4)(jnp.asarray(x)), exact, rtol=1e-5)


def test_attention_equals_one_head_after_another(reference):
    attention = _block(12, heads=3).attention
    x = np.random.default_rng(0).normal(size=(2, 5, 12)).astype(np.float32)
    params = jax.tree.map(np.asarray, _params(attention))
    expected = np.stack([reference.attend(tokens, params, heads=3) for tokens in x])
    np.testing.assert_allclose(attention(jnp.asarray(x)), expected, atol=1e-5)


def test_fused_qkv_has_the_bound_of_one_matrix():
    kernel = _block(64, heads=2).attention.qkv.kernel[...]
    bound = math.sqrt(6 / (4 * 64))  # three matrices of their own would reach sqrt(6 / (2 * 64))
    assert 0.99 * bound < np.abs(kernel).max() <= bound
    np.testing.assert_allclose(np.std(kernel), bound / math.sqrt(3), rtol=0.02)


def test_kernels_are_xavier_uniform_and_biases_zero():
    kernels = xavier_uniform(KEY, (100, 50), (8, 1000))
    for kernel, bound in zip(kernels, (math.sqrt(6 / 150), math.sqrt(6 / 1008)), strict=True):
        assert 0.99 * bound < np.abs(kernel).max() <= bound
        np.testing.assert_allclose(kernel.std(), bound / math.sqrt(3), rtol=0.02)
        assert abs(kernel.mean()) < 4 * bound / math.sqrt(3 * kernel.size)
    assert [kernel.shape for kernel in kernels] == [(100, 50), (8, 1000)]
    assert not Linear(kernels[0], compute=PLAIN).bias[...].any()


def _gradients(rows, kernel, weights):
    def weighted(rows, kernel):
        return jnp.sum(matmul(rows, kernel) * weights)

    return jax.jit(jax.grad(weighted, argnums=(0, 1))).lower(rows, kernel).compile()


# Narrow rows and wide ones: their gradients are computed in two ways.
@pytest.mark.parametrize(("inputs", "outputs"), [(24, 40), (40, 24)])
def test_gradients_of_the_product_are_the_textbooks(inputs, outputs):
    rng = np.random.default_rng(0)
    shapes = (16, inputs), (inputs, outputs), (16, outputs)
    rows, kernel, weights = (rng.standard_normal(shape, np.float32) for shape in shapes)
    found = _gradients(rows, kernel, jnp.asarray(weights))(rows, kernel)
    np.testing.assert_allclose(found[0], weights @ kernel.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found[1], rows.T @ weights, rtol=1e-5, atol=1e-5)


def test_on_a_cpu_no_product_reads_a_matrix_by_columns():
    arrays = jnp.ones((64, 32)), jnp.ones((32, 96)), jnp.ones((64, 96))
    assert "lhs_contracting_dims={0}" not in _gradients(*arrays).as_text()


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    x = jnp.ones((4000, 2, 3))
    dropped = np.asarray(drop_path(x, rate=0.25, key=KEY))
    per_sample = dropped.reshape(4000, -1)
    assert (per_sample == per_sample[:, :1]).all()
    np.testing.assert_allclose(np.unique(per_sample), [0, 4 / 3], rtol=1e-6)
    assert abs(per_sample.mean() - 1) < 4 * math.sqrt(0.25 / 0.75 / 4000)


def test_bfloat16_products_leave_the_rest_in_float32():
    block = _block(16, heads=2, compute=Compute(dtype="bfloat16"))
    x = jax.random.normal(KEY, (2, 5, 16))
    assert {leaf.dtype for leaf in jax.tree.leaves(_params(block))} == {jnp.dtype("float32")}
    assert block(x).dtype == jnp.float32
    types = _operand_types(jax.make_jaxpr(lambda x: block(x))(x).jaxpr)
    assert types["dot_general"] == {"bfloat16"}
    assert types["exp"] == {"float32"}  # softmax
    assert types["rsqrt"] == {"float32"}  # layer normalisation


def _operand_types(jaxpr):
    types = {}
    for equation in jaxpr.eqns:
        for inner in jaxprs_in_params(equation.params):
            for name, found in _operand_types(inner).items():
                types.setdefault(name, set()).update(found)
        names = {str(operand.aval.dtype) for operand in equation.invars}
        types.setdefault(equation.primitive.name, set()).update(names)
    return types


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"remat": "all"}, "remat is 'all'; choose none, blocks or products"),
        ({"dtype": "float16"}, "dtype is 'float16'; choose float32 or bfloat16"),
        ({"attention": "flash"}, "attention is 'flash'; choose xla or cudnn"),
        ({"attention": "cudnn"}, "attention cudnn needs dtype bfloat16, found float32"),
    ],
)
def test_computations_that_do_not_exist_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Compute(**wrong)
