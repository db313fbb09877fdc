"""The sheet of paper: its size, its grid, its colours, and the machine's speed, gain and pen."""

import dataclasses
import math

from ecgmae_jax.errors import InputError

Colour = tuple[int, int, int]

# ITU-R BT.601 luma, the weights of every "convert to greyscale" of a scanner or of Pillow.
_LUMA = (0.299, 0.587, 0.114)


@dataclasses.dataclass(frozen=True)
class Paper:
    """Letter paper, landscape, with a red grid: the usual print of a 12-lead machine.

    Lengths are millimetres on the paper, colours are sRGB. One small square of the grid is 1 mm,
    one large square 5 mm: 40 ms and 200 ms at 25 mm/s, 0.1 mV and 0.5 mV at 10 mm/mV.

    Attributes:
        chest_gain: gain of the chest leads as a share of `mm_per_mv`; 0.5 is what machines call
            10/5 mm/mV.
        minor_dotted: the small squares are dots where their lines would cross.
        grid_phase_mm: how far right and down the grid lies of the traces' left end and first
            baseline, as on paper that was ruled before it was printed.
        grid_margin_mm: how far left and right, and above and below the traces the grid reaches;
            None rules the whole paper.
        print_colour: letters, where they are not in the ink of the traces.
    """

    width_mm: float = 279.4
    height_mm: float = 215.9
    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0
    pen_mm: float = 0.4
    minor_mm: float = 1.0
    major_mm: float = 5.0
    minor_line_mm: float = 0.15
    major_line_mm: float = 0.3
    paper_colour: Colour = (254, 246, 243)
    minor_colour: Colour = (244, 186, 178)
    major_colour: Colour = (229, 128, 120)
    ink_colour: Colour = (26, 24, 32)
    minor_dotted: bool = False
    grid_phase_mm: tuple[float, float] = (0.0, 0.0)
    grid_margin_mm: tuple[float, float] | None = None
    print_colour: Colour | None = None
    chest_gain: float = 1.0

    def __post_init__(self):
        """Refuses speeds and gains that no machine has: they are units mixed up."""
        for name, low, high in (("mm_per_s", 5, 100), ("mm_per_mv", 1, 50), ("pen_mm", 0.05, 3)):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InputError(
                    f"{name}={value}: expected {low} to {high} (25 mm/s and 10 mm/mV are usual)"
                )
        if not 0.1 <= self.chest_gain <= 1:
            raise InputError(
                f"chest_gain={self.chest_gain}: expected 0.1 to 1, the share of mm_per_mv at which "
                "chest leads are drawn (0.5 for 10/5 mm/mV)"
            )

    @property
    def chest_mm_per_mv(self) -> float:
        """The gain of V1 to V6."""
        return self.chest_gain * self.mm_per_mv

    @property
    def printed_gain(self) -> str:
        """The gain in mm/mV as machines print it: one number, or two of limb and chest leads."""
        gains = dict.fromkeys((self.mm_per_mv, self.chest_mm_per_mv))
        return "/".join(f"{gain:g}" for gain in gains)


def in_channels(colour: Colour, *, channels: int) -> tuple[float, ...]:
    """The colour in a picture of 3 channels, or its luminance in a picture of 1."""
    if channels == 3:
        return tuple(float(value) for value in colour)
    return (sum(weight * value for weight, value in zip(_LUMA, colour, strict=True)),)
