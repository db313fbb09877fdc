"""The figures of outcomes that are numbers, in the colours that the report's models have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgmae_jax.evaluation.reporting.figures import FAINT, INK, png, quiet, style_of
from ecgmae_jax.evaluation.reporting.number_predictions import NumberPredictions
from ecgmae_jax.evaluation.reporting.prediction_files import TEST

_SIZE = (3.3, 3.0)
_SMALL = 8.5
_GREY = "#8a919c"
# From light to dark, and told apart in grey print.
_THIRDS = {"lowest": ("#56B4E9", ":"), "middle": ("#0072B2", "--"), "highest": ("#1d2129", "-")}


def make_outcome_figures(
    metrics: Mapping[str, Any], outcomes: Sequence[NumberPredictions]
) -> dict[str, bytes]:
    """PNG by name: `outcome_<its number>_<kind>_<number of the model>`."""
    positions = {model: i for i, model in enumerate(metrics["models"])}
    figures = {}
    for k, (entry, found) in enumerate(zip(metrics["outcomes"], outcomes, strict=True)):
        test = found.rows(TEST, *found.predictions)
        truth = found.truth.only(test).values
        for name, model in entry["models"].items():
            i = positions[name]
            if "thirds" in model:
                made = {"kaplan_meier": kaplan_meier_figure(model["thirds"])}
            else:
                predicted, colour = found.predictions[name][test], style_of(i)["color"]
                made = {
                    "scatter": scatter_figure(truth, predicted, model, colour=colour),
                    "bland_altman": bland_altman_figure(truth, predicted, model, colour=colour),
                }
            figures |= {f"outcome_{k:02d}_{kind}_{i}": made[kind] for kind in made}
    return figures


def scatter_figure(
    values: Float64[np.ndarray, " b"],
    predictions: Float64[np.ndarray, " b"],
    found: Mapping[str, Any],
    *,
    colour: str,
) -> bytes:
    """Observed values against predicted ones, with the line of calibration."""
    figure, axes = _panel()
    low = min(values.min(), predictions.min())
    high = max(values.max(), predictions.max())
    margin = 0.03 * (high - low) or 1.0
    ends = np.array([low - margin, high + margin])
    axes.plot(ends, ends, color=_GREY, linewidth=1)
    _dots(axes, predictions, values, colour=colour)
    slope, intercept = found["slope"]["value"], found["intercept"]["value"]
    if slope is not None and intercept is not None:
        span = np.array([predictions.min(), predictions.max()])
        axes.plot(span, intercept + slope * span, color=INK, linewidth=1.6, linestyle="--")
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel("predicted", fontsize=_SMALL, color=INK)
    axes.set_ylabel("observed", fontsize=_SMALL, color=INK)
    return png(figure)


def bland_altman_figure(
    values: Float64[np.ndarray, " b"],
    predictions: Float64[np.ndarray, " b"],
    found: Mapping[str, Any],
    *,
    colour: str,
) -> bytes:
    """Prediction less observation against the mean of both, with bias and limits of agreement."""
    figure, axes = _panel()
    axes.axhline(0, color=_GREY, linewidth=1)
    _dots(axes, (values + predictions) / 2, predictions - values, colour=colour)
    for name, line in (("bias", "-"), ("lower_limit", "--"), ("upper_limit", "--")):
        estimate = found[name]
        if estimate["value"] is None:
            continue
        axes.axhline(estimate["value"], color=INK, linewidth=1.4, linestyle=line)
        if estimate["low"] is not None:
            axes.axhspan(estimate["low"], estimate["high"], color=INK, alpha=0.12, linewidth=0)
    axes.set_xlabel("mean of predicted and observed", fontsize=_SMALL, color=INK)
    axes.set_ylabel("predicted less observed", fontsize=_SMALL, color=INK)
    return png(figure)


def kaplan_meier_figure(thirds: Sequence[Mapping[str, Any]]) -> bytes:
    """The share without the event against time, a curve for each third of the predicted risk."""
    figure, axes = _panel(extra_height=0.6)
    longest = max(third["last"] for third in thirds)
    for i, third in enumerate(thirds):
        colour, line = _THIRDS[third["third"]]
        time = [0.0, *third["curve"]["time"], third["last"]]
        share = [1.0, *third["curve"]["share"]]
        axes.step(
            time,
            [*share, share[-1]],
            where="post",
            color=colour,
            linestyle=line,
            linewidth=1.7,
            label=f"{third['third']} third ({third['events']}/{third['records']})",
        )
        for at in third["at"]:
            if at["share"]["low"] is not None:
                # Bars of the three stand beside each other.
                x = at["time"] + (i - 1) * 0.012 * longest
                ends = [at["share"]["low"], at["share"]["high"]]
                axes.plot([x, x], ends, color=colour, linewidth=0.9)
    axes.set(xlim=(0, 1.02 * longest), ylim=(-0.02, 1.02))
    axes.set_xlabel("time", fontsize=_SMALL, color=INK)
    axes.set_ylabel("share without the event", fontsize=_SMALL, color=INK)
    # Above the axes: the curves may go anywhere below.
    figure.legend(
        loc="outside upper center",
        frameon=False,
        fontsize=8,
        title="predicted risk",
        title_fontsize=8,
    )
    return png(figure)


def _dots(
    axes: Axes, x: Float64[np.ndarray, " b"], y: Float64[np.ndarray, " b"], *, colour: str
) -> None:
    """Paler the more there are, that their density can be seen."""
    alpha = float(np.clip(120 / len(x), 0.12, 0.6))
    axes.plot(x, y, marker="o", markersize=3.2, linestyle="", color=colour, alpha=alpha, mew=0)


def _panel(*, extra_height: float = 0.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_SIZE[0], _SIZE[1] + extra_height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quiet(axes)
    return figure, axes
