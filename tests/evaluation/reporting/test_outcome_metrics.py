import json

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from ecgmae_jax.evaluation.reporting.number_predictions import NumberPredictions
from ecgmae_jax.evaluation.reporting.outcome_figures import kaplan_meier_figure, scatter_figure
from ecgmae_jax.evaluation.reporting.outcome_metrics import judge_outcomes, thirds_of
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings
from ecgmae_jax.evaluation.statistics.outcome_measures import NumericTruth

SETTINGS = ReportSettings(
    num_resamples=50,
    confidence=0.9,
    seed=0,
    sensitivities=(0.9,),
    prevalences=(0.05,),
    thresholds=(0.1, 0.3),
    age_edges=(50.0,),
    num_groups=5,
)


def make_outcome(*, events, num=240):
    rng = np.random.default_rng(1)
    signal = rng.normal(size=num)
    part = np.repeat(["train", "test"], num // 2)
    frame = pd.DataFrame(
        {
            "record_id": [f"r{i}" for i in range(num)],
            "source": "s",
            "group": [f"p{i // 2}" for i in range(num)],
            "split": part,
            "part": part,
            "num_pictures": 1,
            "age_years": 50.0,
            "sex": "female",
        }
    )
    time = np.round(rng.exponential(30 * np.exp(-signal)) + 1)
    truth = NumericTruth(np.minimum(time, 60.0), (time <= 60).astype(float))
    guesses = {
        name: np.where(part == "test", signal + noise * rng.normal(size=num), np.nan)
        for name, noise in (("good", 0.3), ("fair", 2.0))
    }
    truth = truth if events else NumericTruth(10 * signal + 50)
    return NumberPredictions("y", frame, truth, guesses, ())


@pytest.fixture(scope="module")
def survival():
    return judge_outcomes([make_outcome(events=True)], SETTINGS)


def test_all_of_it_is_plain(survival):
    assert json.loads(json.dumps(survival, allow_nan=False)) == survival
    entry = survival["outcomes"][0]
    assert (entry["type"], entry["records"], entry["patients"]) == ("time-to-event", 120, 60)
    assert [part["records"] for part in entry["flow"]] == [120, 120]


def test_the_curves_of_the_thirds_are_those_of_a_library(survival):
    found = make_outcome(events=True)
    test = found.rows("test")
    truth, risk = found.truth.only(test), found.predictions["good"][test]
    which = np.digitize(risk, np.quantile(risk, [1 / 3, 2 / 3]), right=True)
    for number, third in enumerate(survival["outcomes"][0]["models"]["good"]["thirds"]):
        own = truth.only(which == number)
        expected = SurvfuncRight(own.values, own.events)
        np.testing.assert_allclose(third["curve"]["time"], expected.surv_times)
        np.testing.assert_allclose(third["curve"]["share"], expected.surv_prob, rtol=1e-12)
        for at in third["at"]:
            assert at["at_risk"] == (own.values >= at["time"]).sum()
            share = at["share"]
            assert share["low"] <= share["value"] <= share["high"]


def test_models_are_compared_in_pairs_over_the_whole_family(survival):
    (entry,) = survival["outcome_comparisons"]
    models = survival["outcomes"][0]["models"]
    less = models["fair"]["c_index"]["value"] - models["good"]["c_index"]["value"]
    assert entry["bootstrap"]["value"] == pytest.approx(less)
    assert models["fair"]["difference"]["c_index"]["low"] == entry["bootstrap"]["low"]
    assert entry["p_holm"] == entry["bootstrap"]["p"] < 0.01
    both = judge_outcomes([make_outcome(events=True), make_outcome(events=False)], SETTINGS)
    first, second = both["outcome_comparisons"]
    assert {first["measure"], second["measure"]} == {"c_index", "r2"}
    ps = sorted((first, second), key=lambda one: one["bootstrap"]["p"])
    assert ps[0]["p_holm"] == pytest.approx(2 * ps[0]["bootstrap"]["p"])


def test_equal_risks_stay_together():
    assert thirds_of(np.array([1.0, 1, 1, 1, 2, 3])).tolist() == [0, 0, 0, 0, 2, 2]
    assert thirds_of(np.zeros(4)).tolist() == [0] * 4
    assert np.bincount(thirds_of(np.random.default_rng(0).random(99))).tolist() == [33] * 3


def test_a_model_that_says_the_same_of_all_has_no_figures_that_need_more():
    found = make_outcome(events=False)
    same = {"same": np.where(found.frame["part"] == "test", 50.0, np.nan)}
    flat = NumberPredictions("y", found.frame, found.truth, same, ())
    figures = judge_outcomes([flat], SETTINGS)["outcomes"][0]["models"]["same"]
    assert figures["slope"]["value"] is None
    assert figures["r2"]["value"] <= 0
    test = flat.rows("test")
    scatter_figure(flat.truth.values[test], same["same"][test], figures, colour="#000000")
    at_once = NumberPredictions("y", found.frame, make_outcome(events=True).truth, same, ())
    model = judge_outcomes([at_once], SETTINGS)["outcomes"][0]["models"]["same"]
    assert model["c_index"]["value"] == 0.5
    assert [third["third"] for third in model["thirds"]] == ["lowest"]
    assert kaplan_meier_figure(model["thirds"]).startswith(b"\x89PNG")
