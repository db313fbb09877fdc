"""The parts of a transformer block, initialised as in the reference masked autoencoder."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Float32, PRNGKeyArray

from ecgmae_jax.models.compute import Compute

# The name of a linear layer's result, for what the backward pass is to keep.
PRODUCT = "product"


def xavier_uniform(
    key: PRNGKeyArray, *shapes: tuple[int, int]
) -> list[Float32[Array, "inputs outputs"]]:
    """Kernels of these (inputs, outputs), uniform within ±sqrt(6 / (inputs + outputs)).

    All come from one draw: each draw more takes a CPU half a second to compile.
    """
    sizes = [inputs * outputs for inputs, outputs in shapes]
    numbers = jax.random.uniform(key, (sum(sizes),), minval=-1.0)
    pieces = jnp.split(numbers, np.cumsum(sizes)[:-1])
    return [
        piece.reshape(shape) * math.sqrt(6 / sum(shape))
        for piece, shape in zip(pieces, shapes, strict=True)
    ]


@jax.custom_vjp
def matmul(
    rows: Float[Array, "rows inputs"], kernel: Float[Array, "inputs outputs"]
) -> Float[Array, "rows outputs"]:
    """The product, whose gradient in `kernel` takes a CPU up to half the time."""
    return rows @ kernel


def _matmul_forward(rows, kernel):
    return rows @ kernel, (rows, kernel)


def _matmul_backward(factors, gradient):
    rows, kernel = factors
    return gradient @ kernel.T, _transposed_matmul(rows, gradient)


def _transposed_matmul(rows, gradient):
    """`rows.T @ gradient`."""
    if rows.shape[1] > gradient.shape[1]:
        return rows.T @ gradient

    def on_cpu(rows, gradient):
        # XLA for CPUs multiplies a matrix that it reads by columns at half the rate. The barrier
        # keeps it from taking the transposition into the product again. Wider rows than these
        # take as long to transpose as is gained.
        return jax.lax.optimization_barrier(rows.T) @ gradient

    def elsewhere(rows, gradient):
        return rows.T @ gradient

    return jax.lax.platform_dependent(rows, gradient, cpu=on_cpu, default=elsewhere)


matmul.defvjp(_matmul_forward, _matmul_backward)


class Linear(nnx.Module):
    """A linear layer that starts from a given kernel and zero bias."""

    def __init__(self, kernel: Float32[Array, "inputs outputs"], *, compute: Compute):
        self.kernel = nnx.Param(kernel)
        self.bias = nnx.Param(jnp.zeros(kernel.shape[1]))
        self.dtype = compute.dtype

    def __call__(self, x: Float[Array, "*b inputs"]) -> Float[Array, "*b outputs"]:
        """The product in the dtype of the computation."""
        x, kernel, bias = (y.astype(self.dtype) for y in (x, self.kernel[...], self.bias[...]))
        # As one matrix: XLA for CPUs takes twice as long where a product has several row axes.
        product = matmul(x.reshape(-1, x.shape[-1]), kernel)
        rows = checkpoint_name(product, PRODUCT) + bias[None]
        return rows.reshape(*x.shape[:-1], -1)


def make_layer_norm(width: int) -> nnx.LayerNorm:
    """Layer normalisation in float32 with epsilon 1e-6, scale 1 and bias 0."""
    # The fast variance E[x²] - E[x]² cancels badly where the mean is large.
    return nnx.LayerNorm(
        width, epsilon=1e-6, dtype=jnp.float32, use_fast_variance=False, rngs=nnx.Rngs(0)
    )


def drop_path(
    x: Float[Array, "b s d"], *, rate: Float[Array, ""] | float, key: PRNGKeyArray
) -> Float[Array, "b s d"]:
    """`x` with whole samples set to zero at the given rate, the others scaled to keep the mean."""
    keep = jax.random.bernoulli(key, 1 - rate, (x.shape[0], 1, 1))
    return jnp.where(keep, x / (1 - rate), 0).astype(x.dtype)


def _attend(
    query: Float[Array, "b heads s e"],
    key: Float[Array, "b heads s e"],
    value: Float[Array, "b heads s e"],
) -> Float[Array, "b heads s e"]:
    """Scaled dot-product attention, the softmax in float32 whatever the type of the products.

    With the heads before the tokens: `jax.nn.dot_product_attention`, whose heads come last, takes
    twice as long on a CPU, where XLA does not choose the layout of a product's arguments.
    """
    query = query * query.shape[-1] ** -0.5
    scores = jnp.einsum("bhqe,bhke->bhqk", query, key, preferred_element_type=jnp.float32)
    shares = jax.nn.softmax(scores).astype(value.dtype)
    return jnp.einsum("bhqk,bhke->bhqe", shares, value)


class Attention(nnx.Module):
    """Multi-head self-attention over all tokens, without mask."""

    def __init__(self, qkv: Linear, out: Linear, *, heads: int, compute: Compute):
        self.qkv = qkv
        self.out = out
        self.heads = heads
        self.implementation = compute.attention

    def __call__(self, x: Float[Array, "b s d"]) -> Float[Array, "b s d"]:
        """What each token gathers from the others."""
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        if self.implementation == "xla":
            gathered = _attend(*jnp.transpose(qkv, (2, 0, 3, 1, 4)))
            gathered = jnp.transpose(gathered, (0, 2, 1, 3))
        else:
            gathered = jax.nn.dot_product_attention(
                qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], implementation=self.implementation
            )
        return self.out(gathered.reshape(batch, tokens, width))


class Mlp(nnx.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, hidden: Linear, out: Linear):
        self.hidden = hidden
        self.out = out

    def __call__(self, x: Float[Array, "b s d"]) -> Float[Array, "b s d"]:
        """Each token transformed by itself."""
        return self.out(jax.nn.gelu(self.hidden(x), approximate=False))


class Block(nnx.Module):
    """A pre-norm transformer block; the residual stream is float32."""

    def __init__(
        self, *, width: int, heads: int, mlp_ratio: int, key: PRNGKeyArray, compute: Compute
    ):
        hidden = mlp_ratio * width
        # Queries, keys and values are one matrix: its bound is sqrt(6 / 4d), not the sqrt(6 / 2d)
        # of three.
        shapes = (width, 3 * width), (width, width), (width, hidden), (hidden, width)
        linears = [Linear(kernel, compute=compute) for kernel in xavier_uniform(key, *shapes)]
        self.norm1 = make_layer_norm(width)
        self.attention = Attention(*linears[:2], heads=heads, compute=compute)
        self.norm2 = make_layer_norm(width)
        self.mlp = Mlp(*linears[2:])

    def __call__(
        self,
        x: Float32[Array, "b s d"],
        *,
        drop_rate: Float[Array, ""] | float = 0.0,
        key: PRNGKeyArray | None = None,
    ) -> Float32[Array, "b s d"]:
        """The tokens after this block; without a key nothing is dropped."""
        x = x + self._branch(self.attention, self.norm1(x), drop_rate, key, 0)
        return x + self._branch(self.mlp, self.norm2(x), drop_rate, key, 1)

    @staticmethod
    def _branch(layer, x, drop_rate, key, number):
        y = layer(x).astype(jnp.float32)
        if key is None:
            return y
        return drop_path(y, rate=drop_rate, key=jax.random.fold_in(key, number))
