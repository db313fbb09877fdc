"""How a model is computed, apart from what it computes: free to differ between two runs."""

import dataclasses

import jax
import jax.numpy as jnp

from ecgmae_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Compute:
    """Precision and memory of a pass; the parameters are the same for every choice.

    Attributes:
        dtype: of the matrix products, `float32` or `bfloat16`. Parameters, the residual stream,
            normalisation, softmax and loss are float32 in either case.
        attention: `xla`, or `cudnn` for the fused kernel of NVIDIA GPUs, which has to be asked
            for by name and takes bfloat16 only.
        remat: what the backward pass computes again: `none`; `blocks`, all but each block's input;
            `products`, all but that and the linear layers' results, which saves less and costs
            little.
        unroll: write the blocks out one after another instead of as a loop: slower to compile,
            often faster to run.
    """

    dtype: str = "float32"
    attention: str = "xla"
    remat: str = "none"
    unroll: bool = False

    def __post_init__(self):
        if self.dtype not in ("float32", "bfloat16"):
            raise InputError(f"dtype is {self.dtype!r}; choose float32 or bfloat16")
        if self.attention not in ("xla", "cudnn"):
            raise InputError(f"attention is {self.attention!r}; choose xla or cudnn")
        if self.remat not in ("none", "blocks", "products"):
            raise InputError(f"remat is {self.remat!r}; choose none, blocks or products")
        if self.attention == "cudnn" and self.dtype != "bfloat16":
            raise InputError(
                f"attention cudnn needs dtype bfloat16, found {self.dtype}; "
                "set dtype to bfloat16 or attention to xla"
            )


PLAIN = Compute()


def cudnn_fault(*, dtype: str) -> str | None:
    """Why cuDNN's fused attention cannot be used here, or None where it can.

    The first device compiles a forward and a backward pass of one head: versions of driver, cuDNN
    and JAX that do not fit together show only then.
    """
    device = jax.devices()[0]
    if device.platform != "gpu":
        return f"it needs an NVIDIA GPU, this device is {device.device_kind}"
    if dtype != "bfloat16":
        return f"it needs bfloat16, dtype is {dtype}"

    def attend(tokens: jax.Array) -> jax.Array:
        gathered = jax.nn.dot_product_attention(tokens, tokens, tokens, implementation="cudnn")
        return jnp.sum(gathered.astype(jnp.float32))

    try:
        jax.jit(jax.grad(attend)).lower(jnp.zeros((1, 16, 1, 64), jnp.bfloat16)).compile()
    except Exception as fault:
        # Whatever stands in the way, XLA's attention works: the reason is for the log.
        return str(fault).partition("\n")[0]
    return None
