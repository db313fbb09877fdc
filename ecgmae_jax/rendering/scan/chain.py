"""From a drawn sheet to a scanned one: every artefact in the order in which it happens."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, UInt8

from ecgmae_jax.rendering.scan import light, marks, optics, paper_wear, reproduction, warp
from ecgmae_jax.rendering.scan.jpeg import jpeg
from ecgmae_jax.rendering.scan.settings import ScanSettings, Strength
from ecgmae_jax.rendering.scan.stamps import stamp
from ecgmae_jax.rendering.scan.view import Draws, Picture, View, between

ON_PAPER = {
    "texture": paper_wear.texture,
    "fading": paper_wear.fading,
    "yellowing": paper_wear.yellowing,
    "handwriting": marks.handwriting,
    "pen": marks.pen,
    "stamp": stamp,
    "stain": paper_wear.stain,
    "crease": paper_wear.crease,
    "punch_holes": paper_wear.punch_holes,
}
# Between the two lie the `warp.GEOMETRIC` artefacts.
IN_THE_CAMERA = {
    "uneven_light": light.uneven_light,
    "shadow": light.shadow,
    "vignetting": light.vignetting,
    "exposure": light.exposure,
    "colour_cast": light.colour_cast,
    "focus_blur": optics.focus_blur,
    "motion_blur": optics.motion_blur,
    "moire": optics.moire,
    "sensor_noise": optics.sensor_noise,
    "colour_loss": reproduction.colour_loss,
    "white_clipping": reproduction.white_clipping,
    "photocopy": reproduction.photocopy,
    "fax": reproduction.fax,
    "binarise": reproduction.binarise,
    "jpeg": jpeg,
}
_NEEDS_LARGEST = ("focus_blur", "motion_blur")

Planes = Float[Array, "h w _"]


def scanned(
    image: UInt8[Array, "h w c"],
    draws: dict[str, Draws],
    companions: tuple[Planes, ...],
    *,
    settings: ScanSettings,
    fills: tuple[str, ...],
    view: View,
) -> tuple[UInt8[Array, "h w c"], tuple[Planes, ...]]:
    """The scan of one sheet, and other pictures of the same sheet under its geometry."""
    picture = jnp.moveaxis(image, 2, 0).astype(jnp.float32)
    picture = _with_artefacts(picture, ON_PAPER, settings, draws, view)
    if any(settings.active(name) for name in warp.GEOMETRIC):
        picture, companions = _placed(picture, companions, settings, draws, fills, view)
    picture = _with_artefacts(picture, IN_THE_CAMERA, settings, draws, view)
    levels = jnp.clip(jnp.round(picture), 0, 255).astype(jnp.uint8)
    return jnp.moveaxis(levels, 0, 2), companions


def _with_artefacts(
    picture: Picture,
    artefacts: dict[str, Callable],
    settings: ScanSettings,
    draws: dict[str, Draws],
    view: View,
) -> Picture:
    for name, artefact in artefacts.items():
        if not settings.active(name):
            continue
        strength: Strength = getattr(settings, name)
        if name in _NEEDS_LARGEST:
            artefact = functools.partial(artefact, largest=strength.high)
        artefact = functools.partial(artefact, view=view)
        happens, drawn, own = _drawn(strength, draws[name])
        picture = jax.lax.cond(happens, artefact, lambda same, *_: same, picture, drawn, own)
    return picture


def _drawn(strength: Strength, draws: Draws) -> tuple[Bool[Array, ""], Float[Array, ""], Draws]:
    """Whether an artefact happens, how strong it is, and the draws that are left for its shape."""
    happens = draws[0] < strength.probability
    return happens, between(draws[1], strength.low, strength.high), draws[2:]


def _placed(
    picture: Picture,
    companions: tuple[Planes, ...],
    settings: ScanSettings,
    draws: dict[str, Draws],
    fills: tuple[str, ...],
    view: View,
) -> tuple[Picture, tuple[Planes, ...]]:
    """Picture and companions under one geometry; untouched where it is straight on."""
    off = Strength(0.0, 0.0, 0.0)
    strengths, shapes = {}, {}
    for name in warp.GEOMETRIC:
        happens, drawn, shapes[name] = _drawn(getattr(settings, name) or off, draws[name])
        strengths[name] = jnp.where(happens, drawn, 0.0)

    def moved(picture, companions):
        at = warp.place(strengths, shapes, view)
        desk = _desk(draws["desk"], settings.desk, view)
        seen = warp.picture_placed(picture, at, desk, view)
        # Strict pairing is checked where the companions come in.
        moved_too = tuple(
            jnp.moveaxis(warp.companion_placed(jnp.moveaxis(c, 2, 0), at, fill=f, view=view), 0, 2)
            for c, f in zip(companions, fills, strict=False)
        )
        return seen, moved_too

    anything = functools.reduce(jnp.logical_or, (value > 0 for value in strengths.values()))
    return jax.lax.cond(anything, moved, lambda *same: same, picture, companions)


def _desk(draws: Draws, tones: tuple[float, float], view: View) -> Float[Array, "c 1 1"]:
    """The colour of what lies behind the page, 0 to 255: wood and cloth are hardly ever grey."""
    tint = between(draws[1 : 1 + view.channels], 0.85, 1.15)
    return 255 * jnp.clip(between(draws[0], *tones) * tint, 0, 1)[:, None, None]
