"""Attribution maps over the sheets they explain, as PNG for a reader of ECGs."""

import dataclasses
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ecgmae_jax.evaluation.reporting.attribution_shares import (
    OUTSIDE,
    lead_second_shares,
    strip_shares,
)

# Okabe and Ito 2008, vermilion: seen on grey and on red grids, and in colour blindness.
_COLOUR = "#D55E00"
_MAP = LinearSegmentedColormap.from_list("attribution", ["#ffffff", _COLOUR])
_LETTERS = "#0B3C6F"
# The trace stays readable below the strongest colour.
_OPACITY = 0.6
_WIDTH_IN = 15.0
_DPI = 80


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One map of a picture.

    Attributes:
        shares: of the patches, their sum 1.
        strongest: the multiple of an even share that has the full colour.
    """

    caption: str
    shares: Float[np.ndarray, " n"]
    strongest: float


def overlay(
    image: UInt8[np.ndarray, "h w c"],
    panels: Sequence[Panel],
    *,
    picture: Mapping[str, Any],
    grid: tuple[int, int],
    title: str,
    footnote: str,
) -> bytes:
    """The panels below each other: the sheet under its map, and the share of each lead and second.

    Args:
        image: as the model saw it.
        picture: `Sheet.as_dict()`; without strips the sheets stand alone.
        grid: rows and columns of patches.
    """
    has_strips = bool(picture.get("strips"))
    sheet_in = _WIDTH_IN * (0.68 if has_strips else 0.96)
    height_in = sheet_in * image.shape[0] / image.shape[1] + 1.1
    figure = Figure(
        figsize=(_WIDTH_IN, 1.1 + len(panels) * height_in), layout="constrained", dpi=_DPI
    )
    axes = figure.subplots(
        len(panels), 1 + has_strips, squeeze=False, width_ratios=[2.4, 1][: 1 + has_strips]
    )
    for row, panel in zip(axes, panels, strict=True):
        shown = _draw_sheet(row[0], image, panel, picture=picture, grid=grid)
        bar = figure.colorbar(shown, ax=row[0], orientation="horizontal", aspect=60, pad=0.01)
        bar.set_label("times an even share: 1 is as much as every patch would have", fontsize=11)
        if has_strips:
            _draw_table(row[1], panel, picture=picture, grid=grid)
    figure.suptitle(title, fontsize=17, x=0.01, ha="left")
    note = "\n".join(textwrap.wrap(footnote, 175))
    figure.supxlabel(note, fontsize=10.5, x=0.01, ha="left", color="dimgray")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw_sheet(
    axes: Axes,
    image: UInt8[np.ndarray, "h w c"],
    panel: Panel,
    *,
    picture: Mapping[str, Any],
    grid: tuple[int, int],
) -> Any:
    height, width = picture["height"], picture["width"]
    extent = (0, width, height, 0)
    axes.imshow(
        np.broadcast_to(image, (*image.shape[:2], 3)), extent=extent, interpolation="bicubic"
    )
    times = (panel.shares * len(panel.shares)).reshape(grid)
    strength = np.clip(times / panel.strongest, 0, 1)
    shown = axes.imshow(
        times,
        extent=extent,
        cmap=_MAP,
        vmin=0,
        vmax=panel.strongest,
        alpha=_OPACITY * strength,
        interpolation="nearest",
    )
    strips = picture.get("strips", ())
    for strip, share in zip(strips, strip_shares(panel.shares, picture, grid=grid), strict=True):
        axes.text(
            (strip["x_mm"] + strip["width_mm"] - 1) * picture["px_per_mm"],
            (strip["baseline_mm"] - 0.48 * strip["row_height_mm"]) * picture["px_per_mm"],
            f"{strip['lead']}  {share:.0%}",
            fontsize=12,
            fontweight="bold",
            color=_LETTERS,
            ha="right",
            va="top",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5},
        )
    axes.set_title(panel.caption, fontsize=13, loc="left")
    axes.set_axis_off()
    return shown


def _draw_table(
    axes: Axes, panel: Panel, *, picture: Mapping[str, Any], grid: tuple[int, int]
) -> None:
    """Leads down, seconds across, percent in the cells; grey where nothing is printed."""
    places, found = lead_second_shares(panel.shares[None], picture, grid=grid)
    leads = list(dict.fromkeys(lead for lead, _ in places))
    seconds = sorted({second for _, second in places if second is not None})
    table = np.full((len(leads), len(seconds)), np.nan)
    for (lead, second), share in zip(places, found[0], strict=True):
        if second is not None:
            table[leads.index(lead), seconds.index(second)] = share
    axes.set_facecolor("#e8eaee")
    axes.imshow(table, cmap=_MAP, vmin=0, vmax=max(0.1, np.nanmax(table)), aspect="auto")
    for (row, column), share in np.ndenumerate(table):
        if share >= 0.005:
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=11)
    totals = np.nansum(table, axis=1)
    totals[leads.index(OUTSIDE)] = found[0, -1]
    names = [f"{lead}  {total:.0%}" for lead, total in zip(leads, totals, strict=True)]
    axes.set_yticks(range(len(leads)), names, fontsize=12)
    axes.set_xticks(range(len(seconds)), [str(second) for second in seconds], fontsize=11)
    axes.set_xlabel("second of the recording (grey: not printed)", fontsize=11)
    axes.set_title("percent by lead and second", fontsize=13, loc="left")
    for side in axes.spines.values():
        side.set_visible(False)
