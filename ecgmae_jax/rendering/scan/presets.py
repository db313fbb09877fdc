"""Settings for the two ways a sheet becomes a picture: a scanner's glass and a telephone."""

import dataclasses

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.scan.settings import ScanSettings, Strength

_SCAN = ScanSettings(
    rotation=Strength(0.0, 3.0, 0.8),
    crop=Strength(1.0, 8.0, 0.25),
    margin=Strength(1.0, 12.0, 0.3),
    texture=Strength(0.003, 0.015, 0.8),
    yellowing=Strength(0.03, 0.25, 0.3),
    fading=Strength(0.1, 0.6, 0.35),
    crease=Strength(0.02, 0.12, 0.3),
    stain=Strength(0.05, 0.35, 0.05),
    punch_holes=Strength(5.0, 7.0, 0.12),
    pen=Strength(0.3, 0.8, 0.12),
    handwriting=Strength(2.0, 5.0, 0.2),
    stamp=Strength(0.3, 0.9, 0.1),
    uneven_light=Strength(0.01, 0.08, 0.3),
    focus_blur=Strength(0.05, 0.25, 0.5),
    sensor_noise=Strength(0.5, 4.0, 0.6),
    colour_cast=Strength(0.01, 0.1, 0.3),
    colour_loss=Strength(1.0, 1.0, 0.4),
    white_clipping=Strength(0.02, 0.2, 0.3),
    photocopy=Strength(1.5, 5.0, 0.15),
    fax=Strength(3.85, 7.7, 0.02),
    binarise=Strength(0.6, 0.85, 0.05),
    jpeg=Strength(35.0, 95.0, 0.7),
)

_PHOTO = dataclasses.replace(
    _SCAN,
    rotation=Strength(0.0, 4.0, 0.9),
    perspective=Strength(2.0, 14.0, 0.9),
    curl=Strength(0.5, 5.0, 0.6),
    crop=Strength(2.0, 20.0, 0.4),
    margin=Strength(4.0, 40.0, 0.4),
    crease=Strength(0.03, 0.2, 0.4),
    stain=Strength(0.05, 0.4, 0.08),
    uneven_light=Strength(0.05, 0.35, 0.8),
    shadow=Strength(0.08, 0.45, 0.45),
    vignetting=Strength(0.05, 0.25, 0.5),
    exposure=Strength(0.1, 1.0, 0.7),
    colour_cast=Strength(0.02, 0.25, 0.7),
    focus_blur=Strength(0.08, 0.4, 0.7),
    motion_blur=Strength(0.2, 0.9, 0.2),
    moire=Strength(0.01, 0.06, 0.1),
    sensor_noise=Strength(1.0, 7.0, 0.8),
    colour_loss=Strength(1.0, 1.0, 0.05),
    white_clipping=None,
    photocopy=None,
    fax=None,
    binarise=None,
    jpeg=Strength(30.0, 92.0, 0.9),
    desk=(0.1, 0.85),
)

PRESETS = {"scan": _SCAN, "photo": _PHOTO}


def preset(name: str) -> ScanSettings:
    """The settings of that name: `scan` (a scanner's glass) or `photo` (a telephone).

    How often and how strong is judged by eye from published scans and photographs; no count of
    artefacts in clinical archives is known to us.

    Raises:
        InputError: for any other name.
    """
    if name not in PRESETS:
        raise InputError(f"no scan preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
