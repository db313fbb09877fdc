"""What age and use do to the paper and its print."""

import jax.numpy as jnp
import numpy as np

from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.scan.fields import blotches, line_distance, paper_grain, spread
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between, either_way

# Light absorbed in red, green and blue, in percent of the strongest: lignin, and tea or coffee.
_YELLOW = (10, 35, 100)
_BROWN = (45, 70, 100)
_HOLE_SPACING_MM = 80.0  # ISO 838
_HOLE_TO_EDGE_MM = 12.0
_NUM_FOLDS = 3
_FOLD_MM = 0.5
_FLANK_MM = 8.0


def texture(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture on paper whose reflectance varies from place to place."""
    return picture * (1 + strength * paper_grain(draws, view))


def yellowing(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture on aged paper, which absorbs blue, in places more than in others."""
    aged = strength * (0.85 + 0.15 * jnp.clip(blotches(draws, view), -1, 1))
    return picture * (1 - _absorbed(_YELLOW, view) * spread(aged, view))


def fading(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with its print nearer to the paper's tone, as on old thermal paper.

    The contrast is 1 - `strength` of what it was where it suffered most and
    1 - 0.7 `strength` where least.
    """
    lost = strength * (0.85 + 0.15 * jnp.clip(blotches(draws, view), -1, 1))
    paper = jnp.max(picture, axis=(1, 2), keepdims=True)
    return picture + (paper - picture) * spread(lost, view)


def crease(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture folded one to three times and smoothed out again.

    Most folds run along an edge of the page. At a fold the fibres are broken; the paper beside
    it leans towards the light on one side and away from it on the other.
    """
    change = 0.0
    for i in range(_NUM_FOLDS):
        own = draws[1 + 7 * i : 8 + 7 * i]
        askew = jnp.where(own[0] < 0.2, between(own[1], -1.2, 1.2), between(own[1], -0.06, 0.06))
        angle = askew + jnp.where(own[2] < 0.5, 0.0, np.pi / 2)
        height_mm, width_mm = view.size_mm
        through = (between(own[3], 0.05, 0.95) * height_mm, between(own[4], 0.05, 0.95) * width_mm)
        away = line_distance(angle, through, view)
        ridge = either_way(own[5]) * jnp.maximum(0, 1 - jnp.abs(away) / _FOLD_MM)
        flank = either_way(own[6]) * away / _FLANK_MM / (1 + (away / _FLANK_MM) ** 2)
        there = (draws[0] * _NUM_FOLDS >= i) * strength
        change = change + there * (0.8 * ridge + 0.6 * flank)
    return picture * (1 + change)


def stain(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with the stain of a dried drink: an irregular patch with a darker rim."""
    height_mm, width_mm = view.size_mm
    centre_y, centre_x = draws[0] * height_mm, draws[1] * width_mm
    radius = between(draws[2], 8.0, 40.0)
    away_y = ((view.y_mm - centre_y) / radius) ** 2
    away_x = ((view.x_mm - centre_x) / (radius * between(draws[3], 0.7, 1.4))) ** 2
    ragged = 0.18 * spread(blotches(draws[4:], view), view)
    inside = 1 - away_y[None, :, None] - away_x[None, None, :] + ragged
    rim = jnp.maximum(0, 1 - jnp.abs(inside - 0.08) / 0.08)
    body = jnp.clip(inside / 0.08, 0, 1)
    return picture * (1 - strength * _absorbed(_BROWN, view) * (0.4 * body + 0.6 * rim))


def punch_holes(picture: Picture, strength: Scalar, draws: Draws, view: View) -> Picture:
    """The picture with two filing holes by its left or upper edge, seen dark or light."""
    height_mm, width_mm = view.size_mm
    shift = between(draws[0], -10.0, 10.0)
    edge = _HOLE_TO_EDGE_MM + between(draws[1], -2.0, 2.0)
    left = draws[2] < 0.6
    along_y = jnp.abs(view.y_mm - height_mm / 2 - shift) - _HOLE_SPACING_MM / 2
    along_x = jnp.abs(view.x_mm - width_mm / 2 - shift) - _HOLE_SPACING_MM / 2
    from_y = jnp.where(left, along_y, view.y_mm - edge) ** 2
    from_x = jnp.where(left, view.x_mm - edge, along_x) ** 2
    away = jnp.sqrt(from_y[None, :, None] + from_x[None, None, :])
    hole = jnp.clip((strength / 2 - away) * view.px_per_mm + 0.5, 0, 1)
    tone = 255 * jnp.where(draws[3] < 0.5, between(draws[4], 0.1, 0.4), between(draws[4], 0.9, 1.0))
    return picture + (tone - picture) * hole


def _absorbed(percent: tuple[int, int, int], view: View) -> np.ndarray:
    shares = in_channels(percent, channels=view.channels)
    return np.float32(shares).reshape(-1, 1, 1) / 100
