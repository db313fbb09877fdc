"""The figures of a clinical report as tables, a CSV file for each kind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from ecgmae_jax.evaluation.publishing import csv_bytes

Row = dict[str, Any]


def report_tables(metrics: Mapping[str, Any]) -> dict[str, bytes]:
    """File name -> CSV. Every row states how many records it is of."""
    makers: dict[str, Callable[[Mapping[str, Any]], Iterator[Row]]] = {
        "flow": _flow,
        "discrimination": _discrimination,
        "comparisons": _comparisons,
        "calibration": _calibration,
        "calibration_groups": _calibration_groups,
        "decision_curve": _decision_curve,
        "operating_points": _operating_points,
        "subgroups": _subgroups,
        "distribution": _distribution,
        "label_efficiency": lambda found: iter(found["efficiency"]),
        "cases": lambda found: (
            {**case, "truth": "|".join(case["truth"])} for case in found["cases"]
        ),
    }
    return csv_files({name: make(metrics) for name, make in makers.items()})


def csv_files(rows: Mapping[str, Iterator[Row]]) -> dict[str, bytes]:
    """`tables/<name>.csv` for each table that has rows; estimates become three columns each."""
    tables = {name: pd.DataFrame([_flat(row) for row in found]) for name, found in rows.items()}
    return {f"tables/{name}.csv": csv_bytes(table) for name, table in tables.items() if len(table)}


def _flow(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for part in metrics["flow"]:
        yield {k: v for k, v in part.items() if not isinstance(v, (list, dict))}


def _of_models(metrics: Mapping[str, Any]) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    for label in metrics["labels"]:
        for name, model in label["models"].items():
            counts = {key: label[key] for key in ("records", "patients", "positives")}
            yield {"label": label["label"], "model": name, **counts}, model


def _discrimination(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        names = ("auroc_delong", "auroc_bootstrap", "auprc_bootstrap")
        prevalence = {"prevalence": key["positives"] / key["records"]}
        yield key | prevalence | {name: model[name] for name in names}


def _comparisons(metrics: Mapping[str, Any]) -> Iterator[Row]:
    yield from metrics["comparisons"]


def _stages(model: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "as predicted", model["calibration"]
    if model["recalibrated"]:
        yield "recalibrated", model["recalibrated"]


def _calibration(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        for stage, found in _stages(model):
            figures = {k: v for k, v in found.items() if k not in ("curve", "groups")}
            fitted = model["recalibration"] if stage == "recalibrated" else {}
            yield {**key, "stage": stage, **figures, "recalibration": fitted or {}}


def _calibration_groups(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        for stage, found in _stages(model):
            for group in found["groups"]:
                of_group = {k: v for k, v in group.items() if k not in ("records", "positives")}
                counts = {"group_records": group["records"], "group_positives": group["positives"]}
                yield {**key, "stage": stage, **counts, **of_group}


def _decision_curve(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for label in metrics["labels"]:
        curves = {"all": label["net_benefit_of_all"]}
        curves |= {name: model["net_benefit"] for name, model in label["models"].items()}
        for name, values in curves.items():
            for threshold, value in zip(label["thresholds"], values, strict=True):
                yield {
                    "label": label["label"],
                    "strategy": name,
                    "records": label["records"],
                    "positives": label["positives"],
                    "threshold": threshold,
                    "net_benefit": value,
                }


def _operating_points(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        for point in model["operating_points"]:
            for part in ("validation", "test"):
                calls = dict(point[part])
                stated = {
                    f"at_{s.pop('prevalence'):g}": s for s in map(dict, calls.pop("at_prevalence"))
                }
                names = {"label": key["label"], "model": key["model"]}
                yield {
                    **names,
                    "aim": point["aim"],
                    "threshold": point["threshold"],
                    "part": part,
                    **calls,
                    **stated,
                }


def _subgroups(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for label in metrics["labels"]:
        for entry in label["subgroups"]:
            yield {"label": label["label"], "model": next(iter(label["models"])), **entry}


def _distribution(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for key, model in _of_models(metrics):
        found = model["distribution"]
        for i, low in enumerate(found["edges"][:-1]):
            yield {
                **key,
                "from": low,
                "to": found["edges"][i + 1],
                "with": found["with"][i],
                "without": found["without"][i],
            }


def _flat(row: Mapping[str, Any], prefix: str = "") -> Row:
    """Estimates as columns `auroc`, `auroc_low`, `auroc_high`; other mappings by their keys."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            inner = _flat(value, f"{prefix}{name}_")
            flat |= {key.removesuffix("_value"): item for key, item in inner.items()}
        else:
            flat[f"{prefix}{name}"] = value
    return flat
