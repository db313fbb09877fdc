"""The model card: what was measured, what its makers state, and what nobody looked at."""

import pathlib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.subgroups import VARIABLES

# What only people can say; TRIPOD+AI asks for each (items 3, 5 to 8, 18).
STATEMENTS = {
    "intended_use": "Intended use",
    "population": "Patients and setting",
    "outcome": "How the outcome was determined",
    "missing_data": "How missing data arose",
    "pretraining_data": "Data of pre-training",
    "ethics": "Ethics and consent",
    "funding": "Funding and conflicts of interest",
    "contact": "Contact",
}


def read_statements(path: pathlib.Path) -> dict[str, str]:
    """The statements in a TOML file: any of the keys of `STATEMENTS`, each a text."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(
            f"{path}: cannot be read ({fault.strerror}); name a file or none"
        ) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not a TOML file ({fault})") from fault
    odd = [
        key for key, value in found.items() if key not in STATEMENTS or not isinstance(value, str)
    ]
    if odd:
        raise InputError(f"{path}: {odd} unknown or no text; expected texts of {[*STATEMENTS]}")
    return found


def make_card(
    metrics: Mapping[str, Any], statements: Mapping[str, str]
) -> dict[str, list[tuple[str, str]]]:
    """The card as sections of named lines, for a page or a Markdown file."""
    first = next(iter(metrics["models"]))
    return {
        "Model": [
            (name, f"{facts['program']}, {facts['code']}; predictions {facts['sha256'][:16]}")
            for name, facts in metrics["models"].items()
        ],
        "Stated by its makers": [
            (title, statements.get(key, "not stated")) for key, title in STATEMENTS.items()
        ],
        "Data of this report": [
            (part["part"], _part_line(part)) for part in metrics["flow"] if part["records"]
        ],
        "Performance on the test part": [
            *((entry["label"], _label_line(entry, first)) for entry in metrics["labels"]),
            *((entry["outcome"], _outcome_line(entry)) for entry in metrics["outcomes"]),
        ],
        "Not for": [
            ("Decisions about patients", "this is research software, not a medical device"),
            ("Other patients and devices", "what holds here need not hold elsewhere"),
        ],
        "Not measured": [("", line) for line in not_measured(metrics)],
    }


def not_measured(metrics: Mapping[str, Any]) -> Sequence[str]:
    """What a reader might take for granted and this report cannot answer."""
    parts = {part["part"]: part for part in metrics["flow"]}
    lines = [
        "The chance in training: each model was trained once, and the intervals hold that of "
        "which patients were tested alone.",
        "Whether anybody is better off for the predictions: nobody acted on them.",
        "Agreement with human readers, and how readers would use the predictions.",
        "Errors in the labels, which count as errors of the models.",
    ]
    if len(parts["test"]["sources"]) == 1:
        lines.append("Another hospital: all test records come from one source.")
    if metrics["labels"] and not parts.get("validation", {}).get("records"):
        lines.append(
            "Operating points and recalibration: the files have no predictions of validation "
            "records, and neither may be fixed on the test records."
        )
    seen = {entry["variable"] for label in metrics["labels"] for entry in label["subgroups"]}
    absent = [name for name in (v.removesuffix("_years") for v in VARIABLES) if name not in seen]
    if metrics["labels"] and absent:
        lines.append(
            f"Subgroups by {', '.join(absent).replace('_', ' ')}: not known, or the same for all."
        )
    for entry in metrics["outcomes"]:
        lines.append(f"Subgroups of {entry['outcome']}: they are made for labels alone.")
        if entry["type"] == "time-to-event":
            lines.append(
                f"The risk of {entry['outcome']} by a given time: the models put records in order, "
                "and their absolute risks were neither predicted nor judged."
            )
    if not metrics["efficiency"]:
        lines.append("How many training patients are needed: no few-shot runs were given.")
    return lines


def _part_line(part: Mapping[str, Any]) -> str:
    line = f"{part['records']} records of {part['patients']} patients"
    if part["age_quartiles"]:
        low, middle, high = part["age_quartiles"]
        line += f", median age {middle:.0f} (quartiles {low:.0f} and {high:.0f})"
    if part["sex_known"]:
        line += f", {part['female']} of {part['sex_known']} with known sex female"
    return f"{line}; {', '.join(part['sources'])}"


def _label_line(entry: Mapping[str, Any], model: str) -> str:
    line = f"{entry['positives']} of {entry['records']} records have it"
    area = entry["models"][model]["auroc_bootstrap"]
    if area["value"] is None:
        return f"{line}; no AUROC"
    return f"{line}; AUROC of {model} {_text(area)}"


def _outcome_line(entry: Mapping[str, Any]) -> str:
    model, found = next(iter(entry["models"].items()))
    records = f"{entry['records']} records of {entry['patients']} patients"
    if entry["type"] == "time-to-event":
        return f"{records}, {entry['events']} events; C-index of {model} {_text(found['c_index'])}"
    return f"{records}; R² of {model} {_text(found['r2'])}"


def _text(estimate: Mapping[str, float | None]) -> str:
    if estimate["value"] is None:
        return "undefined"
    low, high = estimate["low"], estimate["high"]
    return f"{estimate['value']:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")
