"""The empty paper: its colour and its grid, without the aliasing of lines finer than pixels."""

import numpy as np
from jaxtyping import Float

from ecgmae_jax.rendering.lettering import text_coverage
from ecgmae_jax.rendering.marks import covered_by
from ecgmae_jax.rendering.paper import in_channels
from ecgmae_jax.rendering.sheet import Sheet


def ruled_lines(
    num_pixels: int, *, first_px: float, pitch_px: float, line_px: float
) -> Float[np.ndarray, "n"]:
    """The share of each pixel that equally spaced lines cover, one line centred on `first_px`.

    A pitch under two pixels cannot be seen (Nyquist): the lines then fade into their mean tone,
    as they do in a scan, where plain sampling would show bands that are not on the paper.
    """
    edges = (np.arange(num_pixels + 1) - first_px) / pitch_px + 0.5 * line_px / pitch_px
    share = line_px / pitch_px
    # The area of all lines left of an edge, in pitches.
    area = np.floor(edges) * share + np.minimum(edges - np.floor(edges), share)
    covered = np.diff(area) * pitch_px
    visibility = np.clip(pitch_px - 2, 0, 1)
    return (share + visibility * (covered - share)).astype(np.float32)


def grid_picture(sheet: Sheet) -> Float[np.ndarray, "h w c"]:
    """The paper before the pen: its grid, and letters of another colour than the pen's.

    In grey levels or RGB from 0 to 255.
    """
    paper, scale = sheet.paper, sheet.px_per_mm
    picture = np.broadcast_to(
        np.float32(in_channels(paper.paper_colour, channels=sheet.channels)),
        (sheet.height, sheet.width, sheet.channels),
    )
    x_px = (sheet.origin_mm[0] + sheet.field.left_mm + paper.grid_phase_mm[0]) * scale
    y_px = (sheet.strips[0].baseline_mm + paper.grid_phase_mm[1]) * scale
    for pitch_mm, line_mm, colour, dotted in (
        (paper.minor_mm, paper.minor_line_mm, paper.minor_colour, paper.minor_dotted),
        (paper.major_mm, paper.major_line_mm, paper.major_colour, False),
    ):
        spacing = {"pitch_px": pitch_mm * scale, "line_px": line_mm * scale}
        across = ruled_lines(sheet.width, first_px=x_px, **spacing)
        down = ruled_lines(sheet.height, first_px=y_px, **spacing)
        if dotted:
            empty = (1 - down[:, None] * across[None, :])[:, :, None]
        else:
            empty = ((1 - down)[:, None] * (1 - across)[None, :])[:, :, None]
        if paper.grid_margin_mm is not None:
            empty = 1 - (1 - empty) * _ruled_part(sheet)[:, :, None]
        line = np.float32(in_channels(colour, channels=sheet.channels))
        picture = empty * picture + (1 - empty) * line
    if paper.print_colour is not None:
        print_colour = np.float32(in_channels(paper.print_colour, channels=sheet.channels))
        picture = picture + (print_colour - picture) * text_coverage(sheet)[:, :, None]
    return picture


def _ruled_part(sheet: Sheet) -> Float[np.ndarray, "h w"]:
    """1 where the grid is printed: over the field and a margin round it."""
    field, (x_mm, y_mm) = sheet.field, sheet.origin_mm
    beside_mm, above_mm = sheet.paper.grid_margin_mm
    left_mm, top_mm = x_mm + field.left_mm - beside_mm, y_mm + field.top_mm - above_mm
    right_mm = left_mm + field.width_mm + 2 * beside_mm
    foot_mm = top_mm + field.height_mm + 2 * above_mm
    across = covered_by(left_mm, right_mm, sheet.width, sheet.px_per_mm)
    down = covered_by(top_mm, foot_mm, sheet.height, sheet.px_per_mm)
    return down[:, None] * across[None, :]
