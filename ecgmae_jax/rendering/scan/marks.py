"""What people leave on a sheet: a pen's marks and scribbled notes."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS
from ecgmae_jax.rendering.scan.strokes import line_coverage, num_dots
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between

INKS = ((28, 45, 140), (34, 34, 40), (180, 32, 44), (20, 95, 70))
# Underline, calliper bracket and tick: corners (y, x) in shares of a mark's height and length.
_LINES = np.float32(
    [
        [[0, 0], [0.05, 0.2], [-0.04, 0.4], [0.03, 0.6], [-0.05, 0.8], [0, 1]],
        [[-0.5, 0], [0.5, 0], [0, 0], [0, 1], [-0.5, 1], [0.5, 1]],
        [[0, 0.35], [0.25, 0.42], [0.5, 0.5], [0, 0.6], [-0.5, 0.7], [-0.9, 0.8]],
    ]
)
_PEN_PATCH_MM = (44.0, 64.0)
_PEN_LENGTH_MM = 190.0
_NUM_LETTERS = 14
# Of the height of a small letter: distance to the next, and the pen's way for one.
_LETTER_PITCH = 0.8
_LETTER_LENGTH = 4.0
_SLANT = 0.3
_NOTE_PEN_MM = 0.5


def pen(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with one mark of a pen `strength` mm wide: a line, bracket, tick or ring."""
    t = np.linspace(0, 1, num_dots(_PEN_LENGTH_MM, view.px_per_mm), dtype=np.float32)
    height, length = between(draws[0], 6.0, 14.0), between(draws[1], 20.0, 56.0)
    corners = jnp.asarray(_LINES)[jnp.minimum((draws[2] * 4).astype(jnp.int32), 2)]
    at = np.linspace(0, 1, _LINES.shape[1], dtype=np.float32)
    line_y = jnp.interp(t, at, corners[:, 0]) * height
    line_x = (jnp.interp(t, at, corners[:, 1]) - 0.5) * length
    angle = 2 * np.pi * (1.08 * t + draws[3])
    growth = 1 + 0.12 * t
    ring = draws[2] >= 0.75
    y = jnp.where(ring, growth * height * jnp.sin(angle), line_y)
    x = jnp.where(ring, growth * length / 3 * jnp.cos(angle), line_x)
    askew = between(draws[4], -0.15, 0.15)
    y, x = y + jnp.sin(askew) * x, x - jnp.sin(askew) * y
    return _written(
        picture,
        y,
        x,
        jnp.ones_like(t),
        draws[5:],
        view,
        width_mm=strength,
        widest_mm=ARTEFACTS["pen"].high,
        patch_mm=_PEN_PATCH_MM,
    )


def handwriting(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with a scribbled note of one to four words, small letters `strength` mm high.

    It looks like joined writing and spells nothing.
    """
    largest = ARTEFACTS["handwriting"].high
    size = num_dots(_NUM_LETTERS * _LETTER_LENGTH * largest, view.px_per_mm)
    t = np.linspace(0, _NUM_LETTERS, size, dtype=np.float32)
    letter = np.minimum(t.astype(np.int32), _NUM_LETTERS - 1)
    kind = draws[7 : 7 + _NUM_LETTERS]
    other = kind[::-1]
    # A third of the letters reaches up or down; some have two arches, as n and u; some open loops.
    reach = jnp.where(kind > 0.82, 1.2, jnp.where(kind > 0.68, -1.0, 0.0)) + 0.7 + 0.5 * other
    arches = jnp.where((other > 0.6) & (kind <= 0.68), 2.0, 1.0)
    openness = 0.05 + 0.35 * kind
    # Between words the pen is lifted.
    down = 1.0 - ((other < 0.6) & (np.arange(_NUM_LETTERS) % 4 == 3))

    phase = 2 * np.pi * arches[letter] * (t - letter)
    y = -strength * (0.5 - 0.5 * jnp.cos(phase)) * reach[letter]
    along = t - _NUM_LETTERS / 2 + openness[letter] * jnp.sin(phase)
    x = _LETTER_PITCH * strength * along - _SLANT * y
    y = y + jnp.sin(between(draws[6], -0.08, 0.08)) * x
    return _written(
        picture,
        y,
        x,
        down[letter],
        draws,
        view,
        width_mm=jnp.float32(_NOTE_PEN_MM),
        widest_mm=_NOTE_PEN_MM,
        patch_mm=(7.0 * largest, 1.15 * _LETTER_PITCH * _NUM_LETTERS * largest),
    )


def _written(
    picture: Picture,
    y_mm: Float[Array, "n"],
    x_mm: Float[Array, "n"],
    down: Float[Array, "n"],
    draws: Draws,
    view: View,
    *,
    width_mm: Scalar,
    widest_mm: float,
    patch_mm: tuple[float, float],
) -> Picture:
    """The picture with a line, given from the centre of a patch, somewhere on it."""
    scale = view.px_per_mm
    shape = patch_shape(patch_mm, view)
    coverage = line_coverage(
        y_mm * scale + shape[0] / 2,
        x_mm * scale + shape[1] / 2,
        width_px=width_mm * scale,
        widest_px=max(widest_mm * scale, 1.0),
        down=down,
        shape=shape,
    )
    return inked(picture, coverage, draws, view)


def patch_shape(size_mm: tuple[float, float], view: View) -> tuple[int, int]:
    """Pixels of a patch of that size, at most those of the picture."""
    height, width = (max(4, round(side * view.px_per_mm)) for side in size_mm)
    return min(height, view.height), min(width, view.width)


def inked(picture: Picture, coverage: Float[Array, "ph pw"], draws: Draws, view: View) -> Picture:
    """The picture with translucent ink of one of four colours on a patch of it.

    Takes four draws: the place (rows, columns), the colour and the pressure.
    """
    room = np.array(picture.shape[1:]) - coverage.shape
    start = (0, *((draws[i] * (room[i] + 1)).astype(jnp.int32) for i in (0, 1)))
    inks = np.float32([in_channels(ink, channels=view.channels) for ink in INKS]) / 255
    ink = jnp.asarray(inks)[(draws[2] * len(INKS)).astype(jnp.int32)]
    absorbed = (1 - ink) * between(draws[3], 0.7, 1.0)
    below = jax.lax.dynamic_slice(picture, start, (view.channels, *coverage.shape))
    patch = below * (1 - absorbed[:, None, None] * coverage[None])
    return jax.lax.dynamic_update_slice(picture, patch, start)
