"""One task from frozen embeddings to figures: a probe per encoder, compared on the test part."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.cohort import describe_part
from ecgmae_jax.evaluation.embeddings import Embeddings, Labels
from ecgmae_jax.evaluation.readouts.probes import (
    MIN_PATIENTS,
    Probe,
    fit_probe,
    fittable_classes,
    predict,
)
from ecgmae_jax.evaluation.statistics.comparison import compare_encoders
from ecgmae_jax.evaluation.statistics.discrimination import labels_with
from ecgmae_jax.evaluation.statistics.intervals import Resamples, patient_resamples


@dataclasses.dataclass(frozen=True)
class ProbeSettings:
    """How probes are fitted and judged; one seed serves the folds and the resamples."""

    grid: tuple[float, ...]
    num_folds: int
    num_resamples: int
    confidence: float
    seed: int


@dataclasses.dataclass(frozen=True, eq=False)
class TaskResult:
    """What one task gives.

    Attributes:
        classes: the classes that were fitted.
        test_rows: the test records with a known truth.
        truth: of those records, the fitted classes only.
        metrics: plain values for JSON.
    """

    classes: tuple[str, ...]
    test_rows: Int[np.ndarray, " b"]
    truth: Float32[np.ndarray, "b k"]
    probabilities: Mapping[str, Float64[np.ndarray, "b k"]]
    probes: Mapping[str, Probe]
    metrics: Mapping[str, Any]


def probe_task(
    encoders: Mapping[str, Embeddings],
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    *,
    task: str,
    settings: ProbeSettings,
) -> TaskResult:
    """Fits every encoder's probe on the part `train` and compares them on the part `test`.

    Records without a label of the task are dropped. Classes that fewer than two training patients
    have, or have not, are left out and listed.

    Args:
        encoders: name -> one row per record, the same records in the same order; differences are
            against the first.
        parts: `train` and `test`, free of common patients.
        task: a name in every encoder's labels.
        settings: how to fit and judge.

    Raises:
        InputError: nothing to fit or nothing to judge.
    """
    first = next(iter(encoders.values()))
    labels, groups = first.labels[task], first.frame["group"].to_numpy(str)
    known = ~np.isnan(labels.values).any(axis=1)
    train, test = (known_rows(labels, parts[part]) for part in ("train", "test"))
    fitted = _fitted_classes(labels, train, groups, task=task)
    classes = tuple(np.array(labels.classes)[fitted].tolist())
    truth = labels.values[test][:, fitted]
    if not labels_with(truth).any():
        raise InputError(
            f"label {task!r}: of {len(test)} test records with a label none or all have each of "
            f"{list(classes)}; choose a test split with both kinds"
        )
    probes = {
        name: fit_probe(
            embeddings.matrix[train],
            labels.values[train][:, fitted],
            groups[train],
            classes=classes,
            exclusive=labels.exclusive,
            grid=settings.grid,
            num_folds=settings.num_folds,
            seed=settings.seed,
            metadata=_probe_metadata(embeddings, task=task, encoder=name),
        )
        for name, embeddings in encoders.items()
    }
    probabilities = {
        name: predict(probe, encoders[name].matrix[test]) for name, probe in probes.items()
    }
    resamples = patient_resamples(
        groups[test], truth, num_resamples=settings.num_resamples, seed=settings.seed
    )
    rows = compare_encoders(
        truth, probabilities, resamples, classes=classes, confidence=settings.confidence
    )
    metrics = {
        "exclusive": labels.exclusive,
        "classes": list(classes),
        "left_out": [label for label in labels.classes if label not in classes],
        "without_label": {part: int((rows & ~known).sum()) for part, rows in parts.items()},
        "cohort": {
            part: describe_part(first.frame, labels, rows & known) for part, rows in parts.items()
        },
        "bootstrap": _describe_resamples(resamples, classes),
        "rows": {
            name: row
            | {"chosen_c": dict(zip(classes, probes[name].chosen_c.tolist(), strict=True))}
            for name, row in rows.items()
        },
    }
    return TaskResult(classes, test, truth, probabilities, probes, metrics)


def known_rows(labels: Labels, part: Bool[np.ndarray, " b"]) -> Int[np.ndarray, " n"]:
    """Positions of the part's records whose truth is known."""
    return np.flatnonzero(part & ~np.isnan(labels.values).any(axis=1))


def _describe_resamples(resamples: Resamples, classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "unit": "patient",
        "resamples": len(resamples.weights),
        "draws": resamples.num_draws,
        "labels_without_interval": [
            label for label, kept in zip(classes, resamples.required, strict=True) if not kept
        ],
    }


def _probe_metadata(embeddings: Embeddings, *, task: str, encoder: str) -> dict[str, Any]:
    """What a probe must know of the embeddings it was fitted on."""
    return {**embeddings.metadata, "task": task, "row": encoder}


def _fitted_classes(
    labels: Labels, train: Int[np.ndarray, " n"], groups: np.ndarray, *, task: str
) -> Bool[np.ndarray, " k"]:
    if not len(train):
        raise InputError(f"label {task!r}: no training record has one; choose other train splits")
    fitted = fittable_classes(labels.values[train], groups[train])
    if not fitted.any() or (labels.exclusive and fitted.sum() < 2):
        counts = labels.values[train].sum(axis=0).astype(int)
        raise InputError(
            f"label {task!r}: a single class in training: of {len(train)} records "
            f"{dict(zip(labels.classes, counts.tolist(), strict=True))} have each class; a probe "
            f"needs at least {MIN_PATIENTS} patients with and {MIN_PATIENTS} without one"
        )
    return fitted
