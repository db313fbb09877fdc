"""How the page lies before the camera: turned, tilted, bent, near or far.

One displacement field and one bilinear look-up do all of it.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecgmae_jax.rendering.scan.fields import outer_product, outer_sum
from ecgmae_jax.rendering.scan.sampling import sample
from ecgmae_jax.rendering.scan.view import Draws, Picture, Scalar, View, between, either_way

GEOMETRIC = ("rotation", "perspective", "curl", "crop", "margin")
_CAMERA_MM = 400.0
# Paper that rises by 1 mm leans towards the light, or away from it, by about so much.
_SHADE_PER_MM = 0.02
_DARKEST_SHADE = 0.12


class Placement(NamedTuple):
    """Where in the page each pixel of the frame looks, in pixels, and how light falls there."""

    y: Float[Array, "h w"]
    x: Float[Array, "h w"]
    shade: Float[Array, "h w"]


def place(strengths: dict[str, Scalar], draws: dict[str, Draws], view: View) -> Placement:
    """The placement for these strengths of the `GEOMETRIC` artefacts; zeros look straight on."""
    turn = jnp.deg2rad(strengths["rotation"]) * either_way(draws["rotation"][0])
    tilt = jnp.deg2rad(strengths["perspective"])
    axis = 2 * np.pi * draws["perspective"][0]
    matrix, slope = _towards_page(turn, tilt, axis, view)
    zoom, shift_y, shift_x = _window(strengths, draws, view)
    frame_y = zoom * (np.arange(view.height, dtype=np.float32) - (view.height - 1) / 2) + shift_y
    frame_x = zoom * (np.arange(view.width, dtype=np.float32) - (view.width - 1) / 2) + shift_x
    depth = 1 + outer_sum(slope[1] * frame_y, slope[0] * frame_x)
    x = outer_sum(matrix[1] * frame_y, matrix[0] * frame_x) / depth
    y = outer_sum(matrix[3] * frame_y, matrix[2] * frame_x) / depth
    bend, shade = _bend(strengths["curl"], draws["curl"], view)
    return Placement(y + (view.height - 1) / 2 + bend, x + (view.width - 1) / 2, shade)


def picture_placed(
    picture: Picture, at: Placement, desk: Float[Array, "c 1 1"], view: View
) -> Picture:
    """The picture as the camera sees it, `desk` (0 to 255) where there is no page."""
    from_edge_y = jnp.minimum(at.y, view.height - 1 - at.y)
    from_edge_x = jnp.minimum(at.x, view.width - 1 - at.x)
    on_page = jnp.clip(jnp.minimum(from_edge_y, from_edge_x) + 1, 0, 1)
    lit = sample(picture, at.y, at.x) * at.shade[None]
    return desk + (lit - desk) * on_page[None]


def companion_placed(planes: Picture, at: Placement, *, fill: str, view: View) -> Picture:
    """Other pictures of the same page under the same geometry, in their own units.

    Args:
        fill: what lies beyond the page: its "edge" continued, or "zero".
    """
    seen = sample(planes, at.y, at.x)
    if fill == "edge":
        return seen
    inside_y = (at.y >= -0.5) & (at.y <= view.height - 0.5)
    inside_x = (at.x >= -0.5) & (at.x <= view.width - 0.5)
    return jnp.where((inside_y & inside_x)[None], seen, 0.0)


def _towards_page(
    turn: Scalar, tilt: Scalar, axis: Scalar, view: View
) -> tuple[tuple[Scalar, ...], tuple[Scalar, Scalar]]:
    """The projection from frame to page, both in pixels from their centres.

    The page's plane is spanned by e1 and e2 (its own axes, turned, then tilted about an axis in
    the plane) with normal n. A ray through the frame at p = (x, y) meets it at
    ((e1 - n e1z / nz) . p, (e2 - n e2z / nz) . p) / (1 + n . p / (nz distance)).
    """
    axis_x, axis_y = jnp.cos(axis), jnp.sin(axis)

    def tilted(x, y):
        """The vector (x to the right, y down) turned about the axis (Rodrigues' formula)."""
        along = (axis_x * x + axis_y * y) * (1 - jnp.cos(tilt))
        lift = (axis_x * y - axis_y * x) * jnp.sin(tilt)
        return x * jnp.cos(tilt) + axis_x * along, y * jnp.cos(tilt) + axis_y * along, lift

    lean_x, lean_y = axis_y * jnp.tan(tilt), -axis_x * jnp.tan(tilt)
    e1x, e1y, e1z = tilted(jnp.cos(turn), jnp.sin(turn))
    e2x, e2y, e2z = tilted(-jnp.sin(turn), jnp.cos(turn))
    matrix = (e1x - lean_x * e1z, e1y - lean_y * e1z, e2x - lean_x * e2z, e2y - lean_y * e2z)
    distance = _CAMERA_MM * view.px_per_mm
    return matrix, (lean_x / distance, lean_y / distance)


def _window(
    strengths: dict[str, Scalar], draws: dict[str, Draws], view: View
) -> tuple[Scalar, Scalar, Scalar]:
    """The frame as a share of the page, and its centre against the page's in pixels.

    The frame stays inside the page (`crop`) or the page inside the frame (`margin`).
    """
    lost = strengths["crop"] / view.size_mm[0]
    gained = strengths["margin"] / view.size_mm[0]
    shift_y, shift_x = (
        size
        * (
            lost * between(draws["crop"][i], -0.5, 0.5)
            + gained * between(draws["margin"][i], -0.5, 0.5)
        )
        for i, size in enumerate((view.height, view.width))
    )
    return 1 - lost + gained, shift_y, shift_x


def _bend(
    strength: Scalar, draws: Draws, view: View
) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """How far the page's lines are bent, in pixels down, and how light falls on the bend.

    A crosswise wave of half to one and a half periods, highest at one of the long edges.
    """
    wave = np.pi * (between(draws[0], 0.5, 1.5) * view.x_unit + 2 * draws[1])
    lean = between(draws[2], -0.5, 0.5)
    down = (1 + lean * view.y_unit) / (1 + jnp.abs(lean))
    depth = jnp.minimum(strength * _SHADE_PER_MM, _DARKEST_SHADE) * either_way(draws[3])
    bend = _product_plus(strength * view.px_per_mm * down, jnp.sin(wave), 0.0)
    return bend, _product_plus(depth * down, jnp.cos(wave), 1.0)


def _product_plus(
    down: Float[Array, "h"], across: Float[Array, "w"], more: float
) -> Float[Array, "h w"]:
    """The outer product and a number: rank two, which XLA leaves a product of matrices."""
    return outer_product(
        jnp.stack([down, jnp.full_like(down, more)], 1), jnp.stack([across, jnp.ones_like(across)])
    )
