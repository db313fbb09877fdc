"""What a probe is worth with few labelled patients: the same draws for every encoder."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.readouts.probes import fit_probe, fittable_classes, predict
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, TaskResult, known_rows
from ecgmae_jax.evaluation.statistics.discrimination import auroc, labels_with

# An AUROC where nothing could be learned: a coin toss.
_NOTHING = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Draw:
    """Some of the training patients, as the positions of their records.

    Attributes:
        share: of all training patients.
        number: which of the draws with this share.
    """

    share: float
    number: int
    patients: int
    rows: Int[np.ndarray, " n"]


def draw_patients(
    groups: np.ndarray, *, shares: Sequence[float], draws: int, seed: int
) -> list[Draw]:
    """Random shares of the patients, at least two, all records of each.

    A draw shuffles the patients once and takes as many as each share asks for from the front, so
    that within a draw a smaller share is part of a larger one. A share of 1 is drawn once.

    Args:
        groups: patient of each training record.
        shares: in (0, 1].
        draws: how many of each share below 1.
        seed: of the shuffles.
    """
    patients = np.unique(groups)
    found = []
    for number in range(draws):
        order = np.random.default_rng([seed, number]).permutation(patients)
        for share in sorted(shares):
            if share == 1 and number:
                continue
            taken = order[: max(2, math.ceil(share * len(patients)))]
            rows = np.flatnonzero(np.isin(groups, taken))
            found.append(Draw(share=share, number=number, patients=len(taken), rows=rows))
    return found


def few_shot_rows(
    encoders: Mapping[str, Embeddings],
    parts: Mapping[str, Bool[np.ndarray, " b"]],
    *,
    task: str,
    result: TaskResult,
    shares: Sequence[float],
    draws: int,
    settings: ProbeSettings,
) -> list[dict[str, Any]]:
    """Macro AUROC on the whole test part of a probe per encoder and draw, as lines of a table.

    The labels are those of `result` with both kinds in the test part, whatever the draw holds: one
    that fewer than two drawn patients have, or have not, counts 0.5. C is chosen anew in every
    draw.

    Args:
        encoders: name -> one row per record, the same records in the same order.
        parts: `train` and `test`, free of common patients.
        task: a name in every encoder's labels.
        result: of the probes of all training patients.
        shares: as for `draw_patients`.
        draws: as for `draw_patients`.
        settings: of the probes; the seed is also that of the draws.
    """
    first = next(iter(encoders.values()))
    groups, labels = first.frame["group"].to_numpy(str), first.labels[task]
    train = known_rows(labels, parts["train"])
    judged = np.isin(labels.classes, result.classes)
    judged[judged] = labels_with(result.truth)
    lines = []
    for draw in draw_patients(groups[train], shares=shares, draws=draws, seed=settings.seed):
        drawn = train[draw.rows]
        fitted = judged & fittable_classes(labels.values[drawn], groups[drawn])
        for name, embeddings in encoders.items():
            areas = np.full(len(judged), _NOTHING)
            if fitted.any():
                areas[fitted] = _areas(
                    embeddings, drawn, result.test_rows, task=task, fitted=fitted, settings=settings
                )
            lines.append(
                {
                    "task": task,
                    "row": name,
                    "share": draw.share,
                    "draw": draw.number,
                    "patients": draw.patients,
                    "records": len(drawn),
                    "labels": int(judged.sum()),
                    "labels_fitted": int(fitted.sum()),
                    "auroc": float(areas[judged].mean()),
                }
            )
    return lines


def summarise_draws(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Mean, least and largest macro AUROC over the draws, for each encoder and share in order."""
    found: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["row"], row["share"]), []).append(row)
    return [
        {
            "row": name,
            "share": share,
            "draws": len(same),
            "patients": same[0]["patients"],
            "auroc": float(np.mean([row["auroc"] for row in same])),
            "least": min(row["auroc"] for row in same),
            "largest": max(row["auroc"] for row in same),
        }
        for (name, share), same in sorted(found.items(), key=lambda item: item[0][1])
    ]


def _areas(
    embeddings: Embeddings,
    drawn: Int[np.ndarray, " n"],
    test: Int[np.ndarray, " m"],
    *,
    task: str,
    fitted: Bool[np.ndarray, " k"],
    settings: ProbeSettings,
) -> Float64[np.ndarray, " f"]:
    """AUROC of each label that can be fitted, by a probe of the drawn records."""
    labels = embeddings.labels[task]
    probe = fit_probe(
        embeddings.matrix[drawn],
        labels.values[drawn][:, fitted],
        embeddings.frame["group"].to_numpy(str)[drawn],
        classes=tuple(np.array(labels.classes)[fitted].tolist()),
        exclusive=labels.exclusive,
        grid=settings.grid,
        num_folds=settings.num_folds,
        seed=settings.seed,
        metadata={},
    )
    truth, scores = labels.values[test][:, fitted], predict(probe, embeddings.matrix[test])
    return np.array([auroc(truth[:, k], scores[:, k]) for k in range(truth.shape[1])])
