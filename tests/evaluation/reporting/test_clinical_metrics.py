import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.clinical_metrics import judge_predictions
from ecgmae_jax.evaluation.reporting.clinical_tables import report_tables
from ecgmae_jax.evaluation.reporting.prediction_files import Predictions
from ecgmae_jax.evaluation.statistics.label_metrics import ReportSettings

SETTINGS = ReportSettings(
    num_resamples=60,
    confidence=0.95,
    seed=0,
    sensitivities=(0.9,),
    prevalences=(0.05,),
    thresholds=(0.1, 0.3, 0.5),
    age_edges=(50.0,),
    num_groups=5,
)


def make_predictions(*, per_patient=1, with_validation=True, num=300):
    rng = np.random.default_rng(4)
    truth = (rng.random((num, 3)) < (0.4, 0.2, 0.0)).astype(np.float64)
    truth[-1] = np.nan
    part = np.repeat(["train", "validation", "test"], num // 3)
    scores = {
        name: np.clip(
            0.2 + strength * np.nan_to_num(truth) + 0.3 * rng.normal(size=(num, 3)), 0.03, 0.97
        )
        for name, strength in (("good", 0.5), ("fair", 0.25), ("none", 0.0))
    }
    unseen = (part == "train") | ((part == "validation") & (not with_validation))
    for values in scores.values():
        values[unseen] = np.nan
    frame = pd.DataFrame(
        {
            "record_id": [f"r{i}" for i in range(num)],
            "source": "s",
            "group": [f"{part[i]}{i // per_patient}" for i in range(num)],
            "split": part,
            "part": part,
            "num_pictures": 1,
            "age_years": rng.uniform(20, 90, num),
            "sex": np.where(rng.random(num) < 0.5, "female", "male"),
        }
    )
    return Predictions("t", ("a", "b", "never"), (), frame, truth, scores)


@pytest.fixture(scope="module")
def predictions():
    return make_predictions()


@pytest.fixture(scope="module")
def judged(predictions):
    return judge_predictions(predictions, SETTINGS)


def test_all_of_it_is_plain_and_comes_from_the_test_records(predictions, judged):
    assert json.loads(json.dumps(judged, allow_nan=False)) == judged
    test = predictions.rows("test")
    for k, label in enumerate(judged["labels"][:2]):
        assert (label["records"], label["positives"]) == (99, predictions.truth[test, k].sum())
        for name, found in label["models"].items():
            area = roc_auc_score(
                predictions.truth[test, k], predictions.probabilities[name][test, k]
            )
            assert found["auroc_delong"]["value"] == pytest.approx(area, rel=1e-12)
            assert found["auroc_bootstrap"]["value"] == pytest.approx(area, rel=1e-12)
    never = judged["labels"][2]["models"]["good"]
    assert never["auroc_delong"]["value"] is None
    assert never["operating_points"] == []


def test_what_is_chosen_is_chosen_on_validation_records(predictions, judged):
    point = judged["labels"][0]["models"]["good"]["operating_points"][0]
    rows = predictions.rows("validation")
    truth, scores = predictions.truth[rows, 0], predictions.probabilities["good"][rows, 0]
    called = scores >= point["threshold"]
    assert called[truth == 1].mean() >= 0.9
    assert point["validation"]["true_positive"] == (called & (truth == 1)).sum()
    assert point["test"]["sensitivity"]["of"] == judged["labels"][0]["positives"]
    changed = make_predictions()
    test = changed.rows("test")
    for values in changed.probabilities.values():
        values[test] = values[test] ** 2
    other = judge_predictions(changed, SETTINGS)["labels"][0]["models"]["good"]
    assert other["operating_points"][0]["threshold"] == point["threshold"]
    assert other["recalibration"] == judged["labels"][0]["models"]["good"]["recalibration"]


def test_recalibration_is_that_of_the_validation_records(predictions, judged):
    rows, test = predictions.rows("validation"), predictions.rows("test")
    for name, scores in predictions.probabilities.items():
        found = judged["labels"][0]["models"][name]
        model = LogisticRegression(C=np.inf, tol=1e-10)
        model.fit(logit(scores[rows, :1]), predictions.truth[rows, 0])
        fitted = found["recalibration"]
        np.testing.assert_allclose(
            [fitted["slope"], fitted["intercept"]],
            [model.coef_[0, 0], model.intercept_[0]],
            atol=1e-4,
        )
        corrected = model.predict_proba(logit(scores[test, :1]))[:, 1]
        assert found["recalibrated"]["expected"] == pytest.approx(corrected.mean(), abs=1e-4)
    useless = judged["labels"][0]["models"]["none"]
    assert useless["recalibrated"]["brier"] < useless["calibration"]["brier"]


def test_without_validation_records_nothing_is_fixed_on_others():
    found = judge_predictions(make_predictions(with_validation=False), SETTINGS)
    for label in found["labels"]:
        for model in label["models"].values():
            assert (model["operating_points"], model["recalibration"]) == ([], None)
    assert found["flow"][1]["records"] == 0
    assert found["flow"][1]["without_prediction"] == 100


def test_the_family_of_comparisons_is_every_label_and_model(judged):
    entries = judged["comparisons"]
    assert [(e["label"], e["model"]) for e in entries] == [
        (label, model) for label in ("a", "b") for model in ("fair", "none")
    ]
    assert {e["p_of"] for e in entries} == {"delong"}
    smallest = min(entries, key=lambda e: e["delong"]["p"])
    assert smallest["p_holm"] == pytest.approx(min(1, 4 * smallest["delong"]["p"]))
    for entry in entries:
        label = next(one for one in judged["labels"] if one["label"] == entry["label"])
        values = [label["models"][m]["auroc_delong"]["value"] for m in (entry["model"], "good")]
        assert entry["delong"]["value"] == pytest.approx(values[0] - values[1], abs=1e-12)


def test_patients_with_several_records_are_compared_by_the_bootstrap():
    found = judge_predictions(make_predictions(per_patient=2), SETTINGS)
    assert {entry["p_of"] for entry in found["comparisons"]} == {"bootstrap"}
    assert found["labels"][0]["patients"] == 50


def test_the_flow_accounts_for_every_record(judged):
    for part, unknown in zip(judged["flow"], (0, 0, 1), strict=True):
        assert part["in_file"] == 100
        assert part["without_label"] == unknown
        assert part["in_file"] - unknown - part["without_prediction"] == part["records"]


def test_tables_hold_the_figures_with_their_numbers_of_records(judged):
    metrics = {**judged, "efficiency": [], "cases": []}
    tables = {
        name: content.decode().splitlines() for name, content in report_tables(metrics).items()
    }
    assert len(tables["tables/discrimination.csv"]) == 1 + 3 * 3
    assert len(tables["tables/decision_curve.csv"]) == 1 + 3 * 4 * 3
    for name, lines in tables.items():
        header = set(lines[0].split(","))
        assert header & {"records", "group_records", "true_positive"}, name
    first = dict(
        zip(*(line.split(",") for line in tables["tables/discrimination.csv"][:2]), strict=True)
    )
    found = judged["labels"][0]["models"]["good"]["auroc_delong"]
    assert float(first["auroc_delong"]) == found["value"]
    assert float(first["auroc_delong_low"]) == found["low"]
    row = tables["tables/operating_points.csv"][0].split(",")
    assert {"at_0.05_ppv", "sensitivity_of", "threshold"} <= set(row)


def test_labels_that_nobody_has_are_refused():
    predictions = make_predictions()
    predictions.truth[:, :2] = 0.0
    with pytest.raises(InputError, match=r"of 99 test records none or all"):
        judge_predictions(predictions, SETTINGS)
