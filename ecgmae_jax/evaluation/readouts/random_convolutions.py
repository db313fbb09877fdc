"""Random convolutions: pictures through filters that nobody trained, averaged by region.

After random kernels in time series (Dempster et al. 2020, ROCKET) and single-layer random features
in vision (Coates, Lee and Ng 2011): cheap, and hard to beat with few labels.
"""

from collections.abc import Callable

import jax
from jaxtyping import Array, Float32

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.pooling import regional_means


def make_random_convolutions(
    *,
    channels: int,
    num_filters: int,
    size: int,
    stride: int,
    regions: tuple[int, int],
    seed: int,
) -> Callable[[Float32[Array, "b h w c"]], Float32[Array, "b f"]]:
    """A jitted function from standardised pictures to the regional means of filter responses.

    Square filters with independent normal weights and no bias, a rectifier, then means over a grid
    of regions: `num_filters` numbers for each region. The seed decides the filters.

    Args:
        channels: of the pictures.
        num_filters: how many.
        size: side of a filter in pixels.
        stride: pixels from one response to the next.
        regions: rows and columns.
        seed: of the weights.
    """
    if min(num_filters, size, stride, *regions) < 1:
        raise InputError(
            f"{num_filters} random filters of {size} px, {stride} px apart, over {regions} "
            "regions; expected at least one of each"
        )
    shape = (size, size, channels, num_filters)
    kernel = jax.random.normal(jax.random.key(seed), shape) / (size * channels**0.5)

    @jax.jit
    def convolve(images: Float32[Array, "b h w c"]) -> Float32[Array, "b f"]:
        responses = jax.lax.conv_general_dilated(
            images, kernel, (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return regional_means(jax.nn.relu(responses), regions=regions)

    return convolve
