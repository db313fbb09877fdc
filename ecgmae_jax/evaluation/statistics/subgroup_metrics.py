"""What a model does in each subgroup of the test records."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ecgmae_jax.evaluation.statistics.delong import area_interval, delong
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.label_metrics import MIN_CASES, ReportSettings, Scored
from ecgmae_jax.evaluation.statistics.operating_points import count_calls, describe_calls
from ecgmae_jax.evaluation.statistics.subgroups import subgroup_rows


def judge_subgroups(
    frame: pd.DataFrame,
    scored: Scored,
    points: Sequence[dict[str, Any]],
    settings: ReportSettings,
) -> list[dict[str, Any]]:
    """AUROC, mean prediction and observed share, and the calls at the first operating point.

    `frame` has the columns that subgroups are made of, its rows those of `scored`. A subgroup with
    fewer than 10 cases or 10 controls has no AUROC.
    """
    found = []
    for variable, level, rows in subgroup_rows(frame, age_edges=settings.age_edges):
        part = Scored(scored.truth[rows], scored.probabilities[rows])
        areas = delong(part.truth, part.probabilities[None, :])
        enough = part.has_both(at_least=MIN_CASES)
        entry = {
            "variable": variable,
            "level": level,
            "records": int(rows.sum()),
            "patients": int(frame["group"][rows].nunique()),
            "positives": int(part.truth.sum()),
            "observed": float(part.truth.mean()),
            "expected": float(part.probabilities.mean()),
            "auroc_delong": plain(area_interval(areas, 0, confidence=settings.confidence))
            if enough
            else None,
        }
        if points:
            counts = count_calls(part.truth, part.probabilities, threshold=points[0]["threshold"])
            calls = describe_calls(counts, prevalences=(), confidence=settings.confidence)
            entry |= {name: calls[name] for name in ("sensitivity", "specificity")}
        found.append(entry)
    return found
