"""The scanner: a batch of drawn sheets in, a batch of scans out, one compiled function."""

import functools
from collections.abc import Callable

import jax
from jaxtyping import Array, Float, Key, UInt8

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.scan.chain import scanned
from ecgmae_jax.rendering.scan.settings import ScanSettings
from ecgmae_jax.rendering.scan.view import View, draws_by_artefact

Planes = Float[Array, "b h w _"]
Scanner = Callable[..., tuple[UInt8[Array, "b h w c"], tuple[Planes, ...]]]
_SMALLEST_SIDE = 32


@functools.lru_cache(maxsize=16)
def make_scanner(
    settings: ScanSettings,
    *,
    height: int,
    width: int,
    channels: int,
    px_per_mm: float,
    fills: tuple[str, ...] = ("edge", "zero"),
) -> Scanner:
    """The function `scan(images, keys, companions=())` that makes scans of drawn sheets.

    It is jitted and may be called inside a larger jitted function. It takes uint8 pictures
    (b, h, w, c), one typed key for each, and float pictures of the same sheets (b, h, w, any),
    such as the clean sheet or its ink alone. It returns the scans and, otherwise untouched, the
    companions under the scans' geometry. A scan depends on its own picture and key alone.

    Args:
        fills: for each companion what lies beyond the page, its "edge" continued or "zero".

    Raises:
        InputError: for a scale that is not positive, unknown fills, or (when scanning) pictures
            of another size than stated or more companions than fills.
    """
    view = View(height, width, channels, float(px_per_mm))
    _check_view(view, fills)

    def one(image, draws, companions):
        return scanned(image, draws, companions, settings=settings, fills=fills, view=view)

    @jax.jit
    def scan(
        images: UInt8[Array, "b h w c"],
        keys: Key[Array, "b"],
        companions: tuple[Planes, ...] = (),
    ):
        _check_pictures(images, companions, fills, view)
        # On a CPU one picture after the other stays in the cache, and what is off is skipped.
        return jax.lax.platform_dependent(
            images,
            draws_by_artefact(keys),
            tuple(companions),
            cpu=lambda *batch: jax.lax.map(lambda example: one(*example), batch),
            default=jax.vmap(one),
        )

    return scan


def _check_view(view: View, fills: tuple[str, ...]) -> None:
    if not 0 < view.px_per_mm < float("inf") or min(view.height, view.width) < _SMALLEST_SIDE:
        raise InputError(
            f"cannot scan {view.height} x {view.width} pixels at {view.px_per_mm} px/mm: expected "
            f"sides of at least {_SMALLEST_SIDE} pixels and a positive scale"
        )
    if view.channels not in (1, 3):
        raise InputError(f"channels={view.channels}: a scan has 1 (grey) or 3 (RGB)")
    if not set(fills) <= {"edge", "zero"}:
        raise InputError(f"fills={fills}: expected 'edge' or 'zero' for each companion")


def _check_pictures(images, companions, fills: tuple[str, ...], view: View) -> None:
    expected = (view.height, view.width, view.channels)
    if images.shape[1:] != expected:
        raise InputError(
            f"cannot scan pictures of shape {images.shape}: this scanner was made for "
            f"(batch, {expected[0]}, {expected[1]}, {expected[2]})"
        )
    if len(companions) > len(fills):
        raise InputError(f"{len(companions)} companions but {len(fills)} fills: state one for each")
