"""The figures of the reports, as PNG. One colour, line and marker per encoder throughout."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

# Okabe and Ito 2008: told apart in all common kinds of colour blindness; line and marker differ
# too, for print in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK = "#2b2f36"
FAINT = "#d5d9df"


def style_of(position: int) -> dict[str, Any]:
    """Colour, line and marker of the encoder in this row."""
    return {
        "color": _COLOURS[position % len(_COLOURS)],
        "linestyle": _LINES[position % len(_LINES)],
        "marker": _MARKERS[position % len(_MARKERS)],
    }


def roc_figure(
    truth: Float[np.ndarray, " b"],
    probabilities: Mapping[str, Float[np.ndarray, " b"]],
    *,
    points: Sequence[tuple[float, float]] = (),
    size_inches: float = 2.3,
) -> bytes:
    """The receiver operating characteristics of one label, a curve per encoder.

    `points` are marked: sensitivity and specificity of the first encoder at fixed thresholds.
    """
    figure = Figure(figsize=(size_inches, size_inches), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for i, scores in enumerate(probabilities.values()):
        false_rate, true_rate, _ = roc_curve(truth, scores)
        style = style_of(i)
        axes.plot(
            false_rate, true_rate, color=style["color"], linestyle=style["linestyle"], linewidth=1.6
        )
    for sensitivity, specificity in points:
        axes.plot(
            1 - specificity,
            sensitivity,
            marker="o",
            markersize=6.5,
            markerfacecolor="white",
            markeredgecolor=style_of(0)["color"],
            markeredgewidth=1.6,
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_xlabel("1 – specificity", fontsize=8.5, color=INK)
    axes.set_ylabel("sensitivity", fontsize=8.5, color=INK)
    quiet(axes)
    return png(figure)


def comparison_figure(rows: Mapping[str, Mapping[str, Any]], *, labels: Sequence[str]) -> bytes:
    """AUROC with interval of every encoder: the mean of all labels on top, then each label."""
    names = ["mean of labels", *labels]
    figure = Figure(
        figsize=(4.3, 0.75 + len(names) * (0.16 + 0.13 * len(rows))), layout="constrained"
    )
    axes = figure.add_subplot()
    spread = np.linspace(-0.27, 0.27, len(rows)) if len(rows) > 1 else np.zeros(1)
    for i, (row, found) in enumerate(rows.items()):
        by_label = {entry["label"]: entry["auroc"] for entry in found["labels"]}
        for y, estimate in enumerate(
            [found["macro"]["all"]["auroc"], *(by_label[label] for label in labels)]
        ):
            dot(axes, estimate, y=y + spread[i], position=i, label=row if y == 0 else None)
    axes.axvline(0.5, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.axhspan(-0.5, 0.5, color="#eef1f5", zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(right=1.015)
    axes.set_xlabel("AUROC (dashed line: a coin toss)", fontsize=9, color=INK)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quiet(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(
        loc="outside upper center",
        ncols=min(len(rows), 4),
        frameon=False,
        fontsize=9,
        handletextpad=0.4,
        columnspacing=1.4,
    )
    return png(figure)


def dot(
    axes: Axes, estimate: Mapping[str, float | None], *, y: float, position: int, label: str | None
) -> None:
    """A figure with its interval in the row `y`, in the style of an encoder."""
    if estimate["value"] is None:
        return
    style = style_of(position)
    low, high = estimate["low"], estimate["high"]
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=style["color"], linewidth=1.5)
    axes.plot(
        estimate["value"],
        y,
        marker=style["marker"],
        markersize=5,
        linestyle="",
        color=style["color"],
        label=label,
    )


def quiet(axes: Axes) -> None:
    """Two spines, grey, and small figures at the ticks."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#8a919c")
    axes.tick_params(colors=INK, labelsize=9)


def png(figure: Figure) -> bytes:
    """The figure as a file, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()
