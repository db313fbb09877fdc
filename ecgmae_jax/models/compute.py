"""How a model is computed, apart from what it computes: free to differ between two runs."""

import dataclasses

from ecgmae_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Compute:
    """Precision and memory of a pass; the parameters are the same for every choice.

    Attributes:
        dtype: of the matrix products, `float32` or `bfloat16`. Parameters, the residual stream,
            normalisation, softmax and loss are float32 in either case.
        attention: `xla`, or `cudnn` for the fused kernel of NVIDIA GPUs, which has to be asked
            for by name and takes bfloat16 only.
        remat: keep only each block's input for the backward pass and compute the rest again.
        unroll: write the blocks out one after another instead of as a loop: slower to compile,
            often faster to run.
    """

    dtype: str = "float32"
    attention: str = "xla"
    remat: bool = False
    unroll: bool = False

    def __post_init__(self):
        if self.dtype not in ("float32", "bfloat16"):
            raise InputError(f"dtype is {self.dtype!r}; choose float32 or bfloat16")
        if self.attention not in ("xla", "cudnn"):
            raise InputError(f"attention is {self.attention!r}; choose xla or cudnn")
        if self.attention == "cudnn" and self.dtype != "bfloat16":
            raise InputError(
                f"attention cudnn needs dtype bfloat16, found {self.dtype}; "
                "set dtype to bfloat16 or attention to xla"
            )


PLAIN = Compute()
