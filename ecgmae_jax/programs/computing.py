"""Precision, attention and memory of a model, as the device at hand has them."""

import sys
from typing import Any

import jax

from ecgmae_jax.models.compute import Compute, cudnn_fault


def make_compute(*, dtype: str, attention: str = "auto", **others: Any) -> Compute:
    """Precision and memory options.

    Args:
        dtype: `auto` takes bfloat16 wherever the device multiplies it.
        attention: `cudnn` takes cuDNN's fused kernel, and XLA's with a line on stderr where that
            cannot be; `auto` does so on GPUs and takes XLA's elsewhere.
        **others: the other fields of `Compute`.
    """
    platform = jax.default_backend()
    if dtype == "auto":
        dtype = "float32" if platform == "cpu" else "bfloat16"
    if attention == "auto":
        attention = "cudnn" if platform == "gpu" else "xla"
    if attention == "cudnn" and (fault := cudnn_fault(dtype=dtype)):
        attention = "xla"
        if jax.process_index() == 0:
            print(f"attention by XLA instead of cuDNN's fused kernel: {fault}", file=sys.stderr)
    return Compute(dtype=dtype, attention=attention, **others)
