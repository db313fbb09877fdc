"""The clinical report: one HTML file that needs nothing beside it, and its card as Markdown."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import jinja2
import markupsafe

from ecgmae_jax.evaluation.reporting.clinical_figures import (
    calibration_figure,
    decision_figure,
    distribution_figure,
    subgroup_figure,
)
from ecgmae_jax.evaluation.reporting.few_shot_figure import few_shot_figure
from ecgmae_jax.evaluation.reporting.figures import comparison_figure, roc_figure, style_of
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, Predictions

_MINUS = "\N{MINUS SIGN}"


def make_clinical_figures(
    metrics: Mapping[str, Any], predictions: Predictions | None
) -> dict[str, bytes]:
    """PNG by name: `comparison`, `efficiency` where known, and `<number of the label>_<kind>`.

    None without predictions of labels.
    """
    if predictions is None:
        return {}
    test = predictions.rows(TEST, *predictions.probabilities)
    figures = {"comparison": _comparison(metrics)}
    if metrics["efficiency"]:
        figures["efficiency"] = few_shot_figure(metrics["efficiency"])
    for k, label in enumerate(metrics["labels"]):
        first = next(iter(label["models"].values()))
        if not 0 < label["positives"] < label["records"]:
            continue
        points = [
            (point["test"]["sensitivity"]["value"], point["test"]["specificity"]["value"])
            for point in first["operating_points"]
        ]
        scores = {name: p[test, k] for name, p in predictions.probabilities.items()}
        made = {
            "roc": roc_figure(predictions.truth[test, k], scores, points=points, size_inches=3.0),
            "calibration": calibration_figure(first),
            "decision": decision_figure(label),
            "distribution": distribution_figure(first["distribution"]),
        }
        if label["subgroups"]:
            made["subgroups"] = subgroup_figure(label["subgroups"], whole=first["auroc_delong"])
        figures |= {f"{k:02d}_{kind}": content for kind, content in made.items()}
    return figures


def render_clinical_report(
    metrics: Mapping[str, Any],
    figures: Mapping[str, bytes],
    pictures: Mapping[str, Mapping[str, str]],
    card: Mapping[str, list[tuple[str, str]]],
) -> str:
    """The page, from the content of metrics.json.

    Args:
        metrics: of the report program.
        figures: of `make_clinical_figures` and `make_outcome_figures`.
        pictures: kind (`picture`, `attribution`) -> record -> data URI.
        card: of `make_card`.
    """
    return (
        _environment()
        .get_template("clinical.html")
        .render(run=metrics, figures=figures, pictures=pictures, card=card)
    )


def render_card(card: Mapping[str, list[tuple[str, str]]]) -> str:
    """The model card as Markdown."""
    lines = ["# Model card"]
    for section, entries in card.items():
        lines += ["", f"## {section}", ""]
        lines += [f"- **{name}**: {text}" if name else f"- {text}" for name, text in entries]
    return "\n".join(lines) + "\n"


def _comparison(metrics: Mapping[str, Any]) -> bytes:
    rows = {
        name: {
            "macro": macro,
            "labels": [
                {"label": _words(label["label"]), "auroc": label["models"][name]["auroc_bootstrap"]}
                for label in metrics["labels"]
            ],
        }
        for name, macro in metrics["macro"].items()
    }
    return comparison_figure(rows, labels=[_words(name) for name in metrics["classes"]])


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecgmae_jax.evaluation.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "estimate": lambda found, form=".3f": _estimate(found, form),
        "share": _share,
        "number": lambda value, form=".3f": _number(value, form),
        "p": _p_value,
        "words": _words,
        "recalibrated": lambda models: [name for name in models if models[name]["recalibrated"]],
        "percent": lambda share: _percent(share),
        "form": _form,
        "png": lambda content: base64.b64encode(content).decode(),
    }
    environment.globals["colour"] = lambda position: style_of(position)["color"]
    return environment


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    text = format(value, form)
    # Nothing is a little less than nothing.
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", _MINUS)


def _form(spread: float) -> str:
    """How figures in the unit of an outcome are written: to a hundredth of its spread or finer."""
    decimals = 2 - math.floor(math.log10(spread)) if spread > 0 else 2
    return f".{min(max(decimals, 0), 9)}f"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _estimate(found: Mapping[str, float | None] | None, form: str) -> markupsafe.Markup:
    if found is None or found["value"] is None:
        return markupsafe.Markup("–")
    low, high = found["low"], found["high"]
    interval = (
        "no interval"
        if low is None or high is None
        else (f"[{_number(low, form)}, {_number(high, form)}]")
    )
    return _marked(_number(found["value"], form), interval)


def _share(found: Mapping[str, float | None] | None) -> markupsafe.Markup:
    """A share in percent with its interval."""
    if found is None or found["value"] is None:
        return markupsafe.Markup("–")
    low, high = found["low"], found["high"]
    if low is None or high is None:
        return _marked(_percent(found["value"]), "no interval")
    return _marked(_percent(found["value"]), f"[{100 * low:.1f}, {100 * high:.1f}]")


def _marked(value: str, interval: str) -> markupsafe.Markup:
    return markupsafe.Markup('{} <span class="interval">{}</span>').format(value, interval)


def _p_value(value: float | None) -> str:
    if value is None:
        return "–"
    return "<\N{NO-BREAK SPACE}0.001" if value < 0.001 else f"{value:.3f}"
