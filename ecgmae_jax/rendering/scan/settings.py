"""Which artefacts a scan has, how strong and how often."""

import dataclasses

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS


@dataclasses.dataclass(frozen=True)
class Strength:
    """A strength drawn evenly from `low` to `high`, in a share `probability` of the pictures."""

    low: float
    high: float
    probability: float = 1.0


@dataclasses.dataclass(frozen=True)
class ScanSettings:
    """One strength for each of the `ARTEFACTS`, None where it is off; at first all are.

    Mirrored or stretched sheets are not among them: they would exchange leads, run time
    backwards or change mm/s against mm/mV, and the picture would show another heart.

    Attributes:
        desk: darkest and lightest tone of what lies behind the page, in shares of white.

    Raises:
        InputError: for a strength or a probability outside its limits.
    """

    rotation: Strength | None = None
    perspective: Strength | None = None
    curl: Strength | None = None
    crop: Strength | None = None
    margin: Strength | None = None
    texture: Strength | None = None
    yellowing: Strength | None = None
    fading: Strength | None = None
    crease: Strength | None = None
    stain: Strength | None = None
    punch_holes: Strength | None = None
    pen: Strength | None = None
    handwriting: Strength | None = None
    stamp: Strength | None = None
    uneven_light: Strength | None = None
    shadow: Strength | None = None
    vignetting: Strength | None = None
    exposure: Strength | None = None
    colour_cast: Strength | None = None
    focus_blur: Strength | None = None
    motion_blur: Strength | None = None
    moire: Strength | None = None
    sensor_noise: Strength | None = None
    colour_loss: Strength | None = None
    white_clipping: Strength | None = None
    photocopy: Strength | None = None
    fax: Strength | None = None
    binarise: Strength | None = None
    jpeg: Strength | None = None
    desk: tuple[float, float] = (0.9, 1.0)

    def __post_init__(self):
        for name in ARTEFACTS:
            if getattr(self, name) is not None:
                _check(name, getattr(self, name))
        low, high = self.desk
        if not 0 <= low <= high <= 1:
            raise InputError(f"desk={self.desk}: expected shares of white, 0 <= low <= high <= 1")

    @classmethod
    def off(cls) -> "ScanSettings":
        """Settings that change nothing, to the bit."""
        return cls()

    def active(self, name: str) -> bool:
        """Whether any picture can have the artefact."""
        strength = getattr(self, name)
        return strength is not None and strength.probability > 0


def scaled(settings: ScanSettings, artefact: str, strength: float) -> ScanSettings:
    """The settings with one artefact in every picture and always this strong.

    Raises:
        InputError: for an artefact that does not exist or a strength outside its limits.
    """
    if artefact not in ARTEFACTS:
        raise InputError(f"no artefact {artefact!r}; there are {', '.join(ARTEFACTS)}")
    return dataclasses.replace(settings, **{artefact: Strength(float(strength), float(strength))})


def _check(name: str, strength: Strength) -> None:
    if not (0 <= strength.probability <= 1):
        raise InputError(f"{name}: probability {strength.probability}; expected 0 to 1")
    unit, low, high, meaning = ARTEFACTS[name]
    if not low <= strength.low <= strength.high <= high:
        raise InputError(
            f"{name}: strengths from {strength.low:g} to {strength.high:g} {unit}; expected "
            f"{low:g} <= low <= high <= {high:g} ({meaning})"
        )
