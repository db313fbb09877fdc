"""The figures of the clinical report, each drawn from numbers that metrics.json has too."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgmae_jax.evaluation.reporting.figures import FAINT, INK, dot, png, quiet, style_of

_SIZE = (3.3, 3.0)
_SMALL = 8.5
_GREY = "#8a919c"


def calibration_figure(found: Mapping[str, Any]) -> bytes:
    """Observed share against prediction of one model, before and after recalibration."""
    figure, axes = _panel()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    after = found["recalibrated"]
    before = found["calibration"]["curve"]
    axes.plot(
        before["predicted"],
        before["observed"],
        color=INK if after is None else _GREY,
        linestyle="--",
        linewidth=1.6,
        label="as predicted",
    )
    if after is not None:
        curve = after["curve"]
        axes.plot(
            curve["predicted"],
            curve["observed"],
            color=style_of(0)["color"],
            linewidth=1.8,
            label="recalibrated",
        )
    for group in (after or found["calibration"])["groups"]:
        colour = INK if after is None else style_of(0)["color"]
        low, high = group["observed"]["low"], group["observed"]["high"]
        axes.plot([group["predicted"]] * 2, [low, high], color=colour, linewidth=0.9)
        axes.plot(
            group["predicted"], group["observed"]["value"], marker="o", markersize=4, color=colour
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xlabel("predicted probability", fontsize=_SMALL, color=INK)
    axes.set_ylabel("observed share", fontsize=_SMALL, color=INK)
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    return png(figure)


def decision_figure(label: Mapping[str, Any]) -> bytes:
    """Net benefit against the threshold, a curve per model, with acting on all and on none."""
    figure, axes = _panel()
    thresholds = label["thresholds"]
    axes.axhline(0, color=INK, linewidth=1)
    axes.plot(thresholds, label["net_benefit_of_all"], color=_GREY, linewidth=1.4)
    top = label["prevalence"]
    for i, model in enumerate(label["models"].values()):
        style = style_of(i)
        axes.plot(
            thresholds,
            model["net_benefit"],
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=1.5,
        )
        top = max(top, *model["net_benefit"])
    axes.set_xlim(0, thresholds[-1])
    axes.set_ylim(-0.12 * top, 1.1 * top)
    axes.set_xlabel("threshold probability", fontsize=_SMALL, color=INK)
    axes.set_ylabel("net benefit", fontsize=_SMALL, color=INK)
    # In the figure itself: grey lines have no model, and so no place in the key.
    axes.annotate(
        "none",
        (thresholds[-1], 0),
        xytext=(0, -9),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=INK,
    )
    axes.annotate(
        "all",
        (thresholds[0], label["net_benefit_of_all"][0]),
        xytext=(4, 3),
        textcoords="offset points",
        fontsize=8,
        color="#545c69",
    )
    return png(figure)


def distribution_figure(found: Mapping[str, Any]) -> bytes:
    """Records by prediction: those with the label upwards, those without it downwards."""
    figure, axes = _panel()
    edges = np.array(found["edges"])
    for name, sign, colour in (("with", 1, style_of(0)["color"]), ("without", -1, _GREY)):
        counts = np.array(found[name])
        share = counts / max(counts.sum(), 1)
        axes.bar(
            edges[:-1],
            sign * share,
            width=np.diff(edges) * 0.92,
            align="edge",
            color=colour,
            label=f"{name} it (n = {counts.sum()})",
        )
    axes.axhline(0, color=INK, linewidth=0.8)
    reach = 1.25 * max(abs(limit) for limit in axes.get_ylim())
    axes.set(xlim=(0, 1), ylim=(-reach, reach))
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    axes.set_xlabel("predicted probability", fontsize=_SMALL, color=INK)
    axes.set_ylabel("share of the records", fontsize=_SMALL, color=INK)
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    return png(figure)


def subgroup_figure(subgroups: Sequence[Mapping[str, Any]], *, whole: Mapping[str, Any]) -> bytes:
    """AUROC with interval in each subgroup, and the dashed line of all test records."""
    figure = Figure(figsize=(4.3, 0.6 + 0.24 * len(subgroups)), layout="constrained")
    axes = figure.add_subplot()
    names = []
    for y, entry in enumerate(subgroups):
        subgroup = f"{entry['variable'].replace('_', ' ')}: {entry['level']}"
        names.append(f"{subgroup}  ({entry['positives']}/{entry['records']})")
        if entry["auroc_delong"] is None:
            across = axes.get_yaxis_transform()
            axes.text(
                0.02, y, "too few", transform=across, va="center", fontsize=8, color="#545c69"
            )
        else:
            dot(axes, entry["auroc_delong"], y=float(y), position=0, label=None)
    axes.axvline(whole["value"], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(right=1.015)
    axes.set_xlabel("AUROC", fontsize=_SMALL, color=INK)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quiet(axes)
    axes.tick_params(axis="y", length=0)
    return png(figure)


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    quiet(axes)
    return figure, axes
