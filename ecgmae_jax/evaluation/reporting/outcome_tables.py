"""The figures of outcomes that are numbers as tables, a CSV file for each kind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ecgmae_jax.evaluation.reporting.clinical_tables import Row, csv_files

_KEYS = ("outcome", "type", "records", "patients", "events")


def outcome_tables(metrics: Mapping[str, Any]) -> dict[str, bytes]:
    """File name -> CSV, of the content of `judge_outcomes`; none without outcomes."""
    makers: dict[str, Callable[[Mapping[str, Any]], Iterator[Row]]] = {
        "outcome_flow": _flow,
        "outcomes": _figures,
        "outcome_comparisons": lambda found: iter(found["outcome_comparisons"]),
        "kaplan_meier": _curves,
        "event_free": _shares,
    }
    return csv_files({name: make(metrics) for name, make in makers.items()})


def _of_models(metrics: Mapping[str, Any]) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    for entry in metrics["outcomes"]:
        for name, model in entry["models"].items():
            yield {key: entry[key] for key in _KEYS if key in entry} | {"model": name}, model


def _flow(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for entry in metrics["outcomes"]:
        for part in entry["flow"]:
            plain = {k: v for k, v in part.items() if not isinstance(v, (list, dict))}
            yield {"outcome": entry["outcome"], **plain}


def _figures(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        yield key | {name: found for name, found in model.items() if name != "thirds"}


def _of_thirds(metrics: Mapping[str, Any]) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    for key, model in _of_models(metrics):
        for third in model.get("thirds", ()):
            counts = {name: third[name] for name in ("third", "records", "patients", "events")}
            yield {"outcome": key["outcome"], "model": key["model"], **counts}, third


def _curves(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, third in _of_thirds(metrics):
        for time, share in zip(third["curve"]["time"], third["curve"]["share"], strict=True):
            yield {**key, "time": time, "event_free": share}


def _shares(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, third in _of_thirds(metrics):
        for at in third["at"]:
            yield {**key, "time": at["time"], "at_risk": at["at_risk"], "event_free": at["share"]}
