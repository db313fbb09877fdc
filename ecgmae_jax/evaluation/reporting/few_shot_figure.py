"""The label-efficiency curve as PNG: macro AUROC against the number of labelled patients."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from ecgmae_jax.evaluation.reporting.figures import FAINT, INK, png, quiet, style_of


def few_shot_figure(summary: Sequence[Mapping[str, Any]]) -> bytes:
    """A line per encoder through the means of its draws, a bar from the least to the largest.

    `summary` is of `summarise_draws`; colours are those of the other figures of a report.
    """
    figure = Figure(figsize=(4.3, 3.0), layout="constrained")
    axes = figure.add_subplot()
    for position, name in enumerate(dict.fromkeys(entry["row"] for entry in summary)):
        own = [entry for entry in summary if entry["row"] == name]
        style = style_of(position)
        means = [entry["auroc"] for entry in own]
        # Bars of different encoders stand beside each other.
        patients = [entry["patients"] * 1.03**position for entry in own]
        below = [entry["auroc"] - entry["least"] for entry in own]
        above = [entry["largest"] - entry["auroc"] for entry in own]
        axes.errorbar(
            patients, means, yerr=(below, above), label=name, linewidth=1.4, markersize=4.5, **style
        )
    ticks = {entry["patients"]: entry["share"] for entry in summary}
    axes.set_xscale("log")
    axes.set_xticks(list(ticks), [f"{n}\n{100 * share:g} %" for n, share in ticks.items()])
    axes.minorticks_off()
    axes.set_xlabel("training patients with a label", fontsize=9, color=INK)
    axes.set_ylabel("mean AUROC of labels", fontsize=9, color=INK)
    axes.grid(color=FAINT, linewidth=0.6)
    quiet(axes)
    axes.legend(frameon=False, fontsize=9)
    return png(figure)
