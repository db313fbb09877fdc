"""All that a report says of one model and one label, as plain values for JSON and tables."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from ecgmae_jax.evaluation.statistics import calibration, calibration_curve, operating_points
from ecgmae_jax.evaluation.statistics.decision_curve import net_benefit
from ecgmae_jax.evaluation.statistics.estimates import plain
from ecgmae_jax.evaluation.statistics.intervals import Estimate

# Fewer cases or controls than this, and a recalibration or a subgroup's figure is left out.
MIN_CASES = 10
_BINS = 20


@dataclasses.dataclass(frozen=True)
class ReportSettings:
    """What a report states beforehand.

    Attributes:
        sensitivities: aims of the operating points, beside Youden's.
        prevalences: at which predictive values are given.
        thresholds: of the decision curve, ascending.
        age_edges: first years of the age bands.
        num_groups: dots of a calibration curve.
    """

    num_resamples: int
    confidence: float
    seed: int
    sensitivities: tuple[float, ...]
    prevalences: tuple[float, ...]
    thresholds: tuple[float, ...]
    age_edges: tuple[float, ...]
    num_groups: int


@dataclasses.dataclass(frozen=True, eq=False)
class Scored:
    """The truth of one label and one model's probabilities, of the same records."""

    truth: Float[np.ndarray, " b"]
    probabilities: Float[np.ndarray, " b"]

    def has_both(self, *, at_least: int) -> bool:
        """Whether there are so many cases and so many controls."""
        positives = int(self.truth.sum())
        return min(positives, len(self.truth) - positives) >= at_least


def judge_label(test: Scored, validation: Scored, settings: ReportSettings) -> dict[str, Any]:
    """Calibration, net benefit, operating points and distribution on the test records.

    What is fitted (thresholds, recalibration) is fitted on the validation records; without enough
    of these it is missing, and the net benefit is that of the probabilities as they came.
    """
    correction = None
    if validation.has_both(at_least=MIN_CASES):
        correction = calibration.fit_recalibration(validation.truth, validation.probabilities)
    after = None
    if correction is not None:
        after = Scored(test.truth, calibration.recalibrate(test.probabilities, correction))
    return {
        "calibration": _calibration(test, settings),
        "recalibrated": None if after is None else _calibration(after, settings),
        "recalibration": None
        if correction is None
        else {
            **dataclasses.asdict(correction),
            "records": len(validation.truth),
            "positives": int(validation.truth.sum()),
        },
        "net_benefit": net_benefit(
            test.truth,
            (after or test).probabilities,
            thresholds=np.array(settings.thresholds),
        ).tolist(),
        "operating_points": _operating_points(test, validation, settings),
        "distribution": distribution(test),
    }


def distribution(scored: Scored) -> dict[str, Any]:
    """Records by predicted probability, those with and those without the label."""
    edges = np.linspace(0, 1, _BINS + 1)
    counts = {
        name: np.histogram(scored.probabilities[rows], edges)[0].tolist()
        for name, rows in (("with", scored.truth > 0), ("without", scored.truth <= 0))
    }
    return {"edges": edges.round(6).tolist(), **counts}


def _calibration(scored: Scored, settings: ReportSettings) -> dict[str, Any]:
    found = calibration.measure_calibration(
        scored.truth, scored.probabilities, confidence=settings.confidence
    )
    curve = calibration_curve.smooth_curve(scored.truth, scored.probabilities)
    groups = calibration_curve.grouped(
        scored.truth,
        scored.probabilities,
        num_groups=settings.num_groups,
        confidence=settings.confidence,
    )
    return {
        **_plain_fields(found),
        "ici": calibration_curve.integrated_index(scored.probabilities, curve),
        "curve": {"predicted": curve[0].tolist(), "observed": curve[1].tolist()},
        "groups": [_plain_fields(group) for group in groups],
    }


def _operating_points(
    test: Scored, validation: Scored, settings: ReportSettings
) -> list[dict[str, Any]]:
    chosen = operating_points.choose_thresholds(
        validation.truth, validation.probabilities, sensitivities=settings.sensitivities
    )
    points = []
    for aim, threshold in chosen.items():
        described = {
            part: operating_points.describe_calls(
                operating_points.count_calls(
                    scored.truth, scored.probabilities, threshold=threshold
                ),
                prevalences=settings.prevalences,
                confidence=settings.confidence,
            )
            for part, scored in (("validation", validation), ("test", test))
        }
        points.append({"aim": aim, "threshold": threshold, **described})
    return points


def _plain_fields(found: Any) -> dict[str, Any]:
    """A dataclass's fields, its estimates as plain values."""
    return {
        field.name: _plain_value(getattr(found, field.name)) for field in dataclasses.fields(found)
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, Estimate):
        return plain(value)
    return value if np.isfinite(value) else None
