import itertools

import numpy as np
import pandas as pd
import pytest

from ecgmae_jax.evaluation.statistics.delong import area_interval, delong
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings, Scored
from ecgmae_jax.evaluation.statistics.operating_points import count_calls
from ecgmae_jax.evaluation.statistics.subgroup_metrics import judge_subgroups
from ecgmae_jax.evaluation.statistics.subgroups import subgroup_rows

SETTINGS = ReportSettings(
    num_resamples=10,
    confidence=0.95,
    seed=0,
    sensitivities=(0.9,),
    prevalences=(0.1,),
    thresholds=(0.1, 0.2),
    age_edges=(40.0, 60.0),
    num_groups=5,
)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "group": [f"p{i // 2}" for i in range(60)],
            "source": "one hospital",
            "sex": ["female", "male", ""] * 20,
            "age_years": [39.9, 40.0, 59.9, 60.0, 95.0, np.nan] * 10,
            "layout": ["3x4+1"] * 30 + ["6x2"] * 30,
            "image_quality": [str(i / 10) for i in range(60)],
            "colour": ["red", "blue"] * 30,
        }
    )


def levels(frame, edges=(40.0, 60.0)):
    found = {}
    for variable, level, rows in subgroup_rows(frame, age_edges=edges):
        found.setdefault(variable, {})[level] = np.flatnonzero(rows).tolist()
    return found


def test_every_variable_divides_all_records(frame):
    found = levels(frame)
    assert list(found) == ["sex", "age", "layout", "image_quality"]
    for parts in found.values():
        assert sorted(itertools.chain(*parts.values())) == list(range(60))


def test_bands_hold_the_ages_they_name_and_the_unknown_is_a_level(frame):
    found = levels(frame)
    assert list(found["age"]) == ["under 40", "40–59", "60 and over", "unknown"]
    assert found["age"]["40–59"] == sorted([*range(1, 60, 6), *range(2, 60, 6)])
    assert found["sex"]["unknown"] == list(range(2, 60, 3))
    assert list(levels(frame, (40.0,))["age"]) == ["under 40", "40 and over", "unknown"]


def test_a_measured_quantity_is_cut_into_thirds_and_a_grade_is_not(frame):
    assert [len(rows) for rows in levels(frame)["image_quality"].values()] == [20, 20, 20]
    graded = frame.assign(image_quality=["1", "2", "3", "3"] * 15)
    assert list(levels(graded)["image_quality"]) == ["1", "2", "3"]


def test_a_subgroup_is_judged_as_if_it_were_alone(frame):
    rng = np.random.default_rng(0)
    truth = (np.arange(60) % 2).astype(np.float64)
    probabilities = rng.random(60) * 0.6 + 0.2 * truth
    points = [{"threshold": 0.4}]
    found = judge_subgroups(frame, Scored(truth, probabilities), points, SETTINGS)
    entry = next(one for one in found if one["level"] == "6x2")
    late = slice(30, 60)
    area = area_interval(delong(truth[late], probabilities[late][None, :]), 0, confidence=0.95)
    assert entry["auroc_delong"]["low"] == area.low
    assert (entry["records"], entry["patients"], entry["positives"]) == (30, 15, 15)
    counts = count_calls(truth[late], probabilities[late], threshold=0.4)
    assert entry["sensitivity"]["value"] == counts.true_positive / 15
    assert entry["expected"] == pytest.approx(probabilities[late].mean())
    few = next(one for one in found if one["variable"] == "age" and one["level"] == "unknown")
    assert (few["records"], few["auroc_delong"]) == (10, None)
