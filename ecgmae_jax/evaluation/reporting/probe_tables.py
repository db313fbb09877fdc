"""The figures of a probe as a table, and as the lines that its program prints."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ecgmae_jax.evaluation.statistics.intervals import COMMON_POSITIVES

_MEASURES = ("auroc", "auprc")
_LOGISTIC = "logistic"


def figures_table(tasks: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One line per task, row, readout and label; `label` is empty for the means over labels.

    Columns: `labels` and `min_positives` say which labels a mean is over; then each measure with
    its interval.
    """
    lines = []
    for task, found in tasks.items():
        for row, readout, figures in _all_rows(found):
            named = {"task": task, "row": row, "readout": readout}
            for name, least in (("all", 1), ("common", COMMON_POSITIVES)):
                macro = figures["macro"][name]
                about = {"label": "", "labels": macro["labels"], "min_positives": least}
                lines.append(named | about | _flat(macro))
            for entry in figures["labels"]:
                about = {"label": entry["label"], "labels": 1, "positives": entry["positives"]}
                lines.append(named | about | _flat(entry))
    return pd.DataFrame(lines)


def further_summary(metrics: Mapping[str, Any]) -> str:
    """What the comparison of encoders does not say: rare labels, readouts, few labels, numbers."""
    lines: list[str] = []
    for task, found in metrics["tasks"].items():
        first = next(iter(found["rows"].values()))["macro"]
        both = f"{first['all']['labels']} labels, {first['common']['labels']} labels with"
        lines.append(f"{task}: macro AUROC over {both} at least {COMMON_POSITIVES} positives")
        lines += _aligned(
            (row if readout == _LOGISTIC else f"{row}, {readout}", *_both(figures["macro"]))
            for row, readout, figures in _all_rows(found)
        )
        if found["few_shot"]:
            lines.append(f"{task}: macro AUROC by share of the training patients, [least, largest]")
            lines += _aligned(
                (
                    entry["row"],
                    f"{100 * entry['share']:g} %",
                    f"{entry['patients']} patients",
                    f"{entry['auroc']:.3f} [{entry['least']:.3f}, {entry['largest']:.3f}]",
                    f"draws: {entry['draws']}",
                )
                for entry in found["few_shot"]
            )
    for outcome, found in metrics["outcomes"].items():
        lines.append(f"{outcome} ({found['type']}): {found['records']['test']} test records")
        lines += _aligned(
            (row, *(f"{name} {_text(value)}" for name, value in figures.items() if name in _SHOWN))
            for row, figures in found["rows"].items()
        )
    return "\n".join(lines)


_SHOWN = ("r2", "mae", "correlation", "c_index")


def _all_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for row, figures in found["rows"].items():
        yield row, _LOGISTIC, figures
    for figures in found["readouts"]:
        yield figures["row"], figures["readout"], figures


def _flat(figures: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        f"{measure}{end}": figures[measure][name]
        for measure in _MEASURES
        if measure in figures
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
    }


def _both(macro: Mapping[str, Any]) -> tuple[str, str]:
    common = macro["common"]
    return _text(macro["all"]["auroc"]), _text(common["auroc"]) if common["labels"] else "–"


def _text(estimate: Mapping[str, float | None]) -> str:
    if estimate["value"] is None:
        return "–"
    text = f"{estimate['value']:.3f}"
    if estimate["low"] is not None and estimate["high"] is not None:
        text += f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return text.replace("-", "\N{MINUS SIGN}")


def _aligned(table: Iterator[tuple[str, ...]]) -> list[str]:
    rows = list(table)
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    ]
