"""The report of a linear probe: one HTML file that needs nothing beside it, and its short form."""

import base64
from collections.abc import Mapping
from typing import Any

import jinja2
import markupsafe
import numpy as np

from ecgmae_jax.evaluation.readouts.task import TaskResult
from ecgmae_jax.evaluation.reporting.figures import comparison_figure, roc_figure, style_of
from ecgmae_jax.evaluation.statistics.discrimination import labels_with

# More panels than this are no longer looked at; the table has every label.
_MAX_PANELS = 24
_MINUS = "\N{MINUS SIGN}"


def make_figures(results: Mapping[str, TaskResult]) -> dict[str, dict[str, Any]]:
    """Per task the PNG `comparison`, and `roc` as a list of (label, PNG)."""
    figures: dict[str, dict[str, Any]] = {}
    for task, result in results.items():
        commonest = np.argsort(-result.truth.sum(axis=0), kind="stable")
        judged = labels_with(result.truth)
        shown = sorted([int(k) for k in commonest if judged[k]][:_MAX_PANELS])
        figures[task] = {
            "comparison": comparison_figure(
                result.metrics["rows"], labels=[result.classes[k] for k in shown]
            ),
            "roc": [
                (
                    result.classes[k],
                    roc_figure(
                        result.truth[:, k],
                        {name: p[:, k] for name, p in result.probabilities.items()},
                    ),
                )
                for k in shown
            ],
        }
    return figures


def render_report(metrics: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The page, from the content of metrics.json and the figures of `make_figures`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecgmae_jax.evaluation.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "estimate": lambda estimate: _marked(_estimate(estimate)),
        "signed": lambda estimate: _marked(_signed(estimate)),
        "verdict": _verdict,
        "png": lambda content: base64.b64encode(content).decode(),
        "percent": lambda share: f"{100 * share:.1f}\N{NO-BREAK SPACE}%",
    }
    environment.globals["colour"] = lambda position: style_of(position)["color"]
    return environment.get_template("probe.html").render(run=metrics, figures=figures)


def summary(metrics: Mapping[str, Any]) -> str:
    """The comparison tables as plain text."""
    lines = []
    for task, found in metrics["tasks"].items():
        test = found["cohort"]["test"]
        first = next(iter(found["rows"]))
        header = ("encoder", "macro AUROC", "macro AUPRC", f"AUROC less {first}'s")
        table: list[tuple[str, ...]] = [header]
        for name, row in found["rows"].items():
            macro = row["macro"]["all"]
            less = _signed(row["difference"]["all"]["auroc"]) if "difference" in row else ""
            table.append((name, _estimate(macro["auroc"]), _estimate(macro["auprc"]), less))
        widths = [max(len(cells[i]) for cells in table) for i in range(len(header))]
        labels = next(iter(found["rows"].values()))["macro"]["all"]["labels"]
        lines.append(
            f"{task}: {labels} labels, {test['records']} test records of {test['patients']} "
            f"patients, {100 * metrics['settings']['confidence']:g} % intervals"
        )
        for cells in table:
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            lines.append("  " + "  ".join(padded).rstrip())
    return "\n".join(lines)


def _estimate(estimate: Mapping[str, float | None], form: str = ".3f") -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None:
        return "–"
    text = format(value, form)
    if low is not None and high is not None:
        text += f" [{format(low, form)}, {format(high, form)}]"
    return text.replace("-", _MINUS)


def _marked(text: str) -> markupsafe.Markup:
    value, _, interval = text.partition(" ")
    if not interval:
        return markupsafe.Markup(value)
    return markupsafe.Markup('{} <span class="interval">{}</span>').format(value, interval)


def _signed(estimate: Mapping[str, float | None]) -> str:
    return _estimate(estimate, form="+.3f")


def _verdict(estimate: Mapping[str, float | None]) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return "no interval"
    if estimate["low"] > 0:
        return "higher"
    return "lower" if estimate["high"] < 0 else "not told apart"
