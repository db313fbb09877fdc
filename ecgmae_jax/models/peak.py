"""The arithmetic rate that a device can reach, of which a model's utilisation is a share."""

import dataclasses
import time

import jax
import jax.numpy as jnp

# Dense bfloat16 products, operations a second, from the vendors' data sheets; the first name that
# is part of the device's kind decides.
BFLOAT16_PEAKS: tuple[tuple[str, float], ...] = (
    ("B200", 2250e12),
    ("GH200", 989e12),
    ("H200", 989e12),
    ("H100 PCIe", 756e12),
    ("H100 NVL", 835e12),
    ("H100", 989e12),
    ("A100", 312e12),
    ("L40S", 362e12),
    ("L4", 121e12),
    ("TPU v6 lite", 918e12),
    ("TPU v5 lite", 197e12),
    ("TPU v5", 459e12),
    ("TPU v4", 275e12),
)
# Large enough that more would not be faster; every start of a training waits for it.
_CPU_SIZE = 1024
_ACCELERATOR_SIZE = 8192
_ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Peak:
    """The rate of one device.

    Attributes:
        flops_per_second: operations a second, a multiply-add counted as two.
        source: where the number comes from, for the reader of a utilisation.
    """

    flops_per_second: float
    source: str


def device_peak(dtype: str) -> Peak:
    """The peak rate of this process's first device: known of many for bfloat16, else measured."""
    device = jax.local_devices()[0]
    known = bfloat16_peak(device.device_kind) if dtype == "bfloat16" else None
    if known is not None:
        return known
    size = _CPU_SIZE if device.platform == "cpu" else _ACCELERATOR_SIZE
    rate = matmul_rate(dtype, size=size)
    return Peak(rate, f"measured, a {dtype} product of {size}x{size} matrices")


def bfloat16_peak(device_kind: str) -> Peak | None:
    """What the data sheet of a device of this kind says of bfloat16, if it is known here."""
    for name, rate in BFLOAT16_PEAKS:
        if name in device_kind:
            return Peak(rate, f"data sheet of {name}")
    return None


def matmul_rate(dtype: str, *, size: int, rounds: int = _ROUNDS) -> float:
    """Operations a second of the fastest of some products of two square matrices."""
    matrix = jnp.ones((size, size), dtype)
    multiply = jax.jit(jnp.matmul)
    multiply(matrix, matrix).block_until_ready()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        multiply(matrix, matrix).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)
