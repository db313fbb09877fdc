"""Sheets by the names that a config gives them."""

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.ecg_plot_style import ecg_plot_sheet
from ecgmae_jax.rendering.layouts import layout_named
from ecgmae_jax.rendering.placing import field_on
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.rendering.styles import styled_paper

ECG_PLOT = "ecg_plot"
_PLAIN = {
    "layout": "3x4+1",
    "mm_per_s": 25.0,
    "mm_per_mv": 10.0,
    "chest_gain": 1.0,
    "page": "letter",
}


def make_sheet(
    layout: str = "3x4+1",
    *,
    height: int = 384,
    width: int = 512,
    channels: int = 1,
    mm_per_s: float = 25.0,
    mm_per_mv: float = 10.0,
    chest_gain: float = 1.0,
    style: str = "red",
    page: str = "letter",
) -> Sheet:
    """The sheet of a named layout in a picture of the given size.

    Chest leads are drawn at `chest_gain` times `mm_per_mv`: 0.5 makes 10/5 mm/mV. The style
    `ecg_plot` is the whole sheet of the ecg-plot package, with a layout, page, speed and gain of
    its own.

    Raises:
        InputError: for an unknown layout, style or page, a picture smaller than 32 pixels,
            channels other than 1 (grey) and 3 (RGB), a speed or gain that no machine has, or
            anything but its size asked of the style `ecg_plot`.
    """
    if style == ECG_PLOT:
        asked = (layout, mm_per_s, mm_per_mv, chest_gain, page)
        given = dict(zip(_PLAIN, asked, strict=True))
        if changed := sorted(name for name, value in given.items() if value != _PLAIN[name]):
            raise InputError(
                f"the style {ECG_PLOT!r} has a layout, page, speed and gain of its own, and "
                f"{', '.join(changed)} was chosen beside it; leave that out or choose another style"
            )
        return ecg_plot_sheet(height=int(height), width=int(width), channels=int(channels))
    paper = styled_paper(
        style,
        page=page,
        mm_per_s=float(mm_per_s),
        mm_per_mv=float(mm_per_mv),
        chest_gain=float(chest_gain),
    )
    arranged = layout_named(layout)
    return Sheet(arranged, paper, int(height), int(width), int(channels), field_on(arranged, paper))
