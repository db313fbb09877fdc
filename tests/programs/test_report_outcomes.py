import json
import os
import re
import shutil
import signal

import ml_collections
import pandas as pd
import processes
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, r2_score

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.report import run


@pytest.fixture(scope="module")
def finished(make_outcome_report_config, tmp_path_factory):
    """A folder with predictions and, in `out`, the report of two numeric outcomes."""
    folder = tmp_path_factory.mktemp("outcomes")
    run(make_outcome_report_config(folder), folder / "out")
    return folder


def files(folder):
    """Everything but what a run says of itself."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".jsonl", ".lock") and path.name[0] != "."
    }


def test_every_figure_follows_from_the_predictions_beside_it(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    table = pd.read_csv(finished / "out" / "predictions.csv")
    test = table[table["part"] == "test"].dropna(subset="truth.ejection_fraction.value")
    value, survival = metrics["outcomes"]
    assert (value["records"], value["patients"]) == (len(test), test["group"].nunique())
    assert value["not_predicted_by"] == ["age+sex"]
    assert list(value["models"]) == ["MAE", "random"]
    truth = test["truth.ejection_fraction.value"]
    for model, found in value["models"].items():
        guess = test[f"{model}.ejection_fraction.value"]
        assert found["r2"]["value"] == pytest.approx(r2_score(truth, guess), rel=1e-12)
        assert found["mae"]["value"] == pytest.approx(mean_absolute_error(truth, guess), rel=1e-12)
        assert found["correlation"]["value"] == pytest.approx(pearsonr(truth, guess).statistic)
        assert found["bias"]["value"] == pytest.approx((guess - truth).mean())
        assert found["lower_limit"]["low"] < found["lower_limit"]["value"] < found["bias"]["low"]
    assert list(survival["models"]) == ["MAE", "random", "age+sex"]
    tested = table[table["part"] == "test"]
    assert survival["events"] == tested["truth.survival.event"].sum()
    for model, found in survival["models"].items():
        thirds = found["thirds"]
        assert sum(third["records"] for third in thirds) == survival["records"] == 80
        assert sum(third["events"] for third in thirds) == survival["events"]
        risk = tested[f"{model}.survival.risk"]
        assert thirds[0]["records"] == (risk <= risk.quantile(1 / 3)).sum()
    ends = [third["at"][0]["share"]["value"] for third in survival["models"]["MAE"]["thirds"]]
    assert ends == sorted(ends, reverse=True)


def test_the_tables_hold_the_same_numbers(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    figures = pd.read_csv(finished / "out" / "tables" / "outcomes.csv")
    assert figures[["outcome", "model"]].to_numpy().tolist() == [
        [entry["outcome"], model] for entry in metrics["outcomes"] for model in entry["models"]
    ]
    first = metrics["outcomes"][0]["models"]
    assert figures["slope_low"][0] == first["MAE"]["slope"]["low"]
    assert figures["difference_r2"][1] == first["random"]["difference"]["r2"]["value"]
    compared = pd.read_csv(finished / "out" / "tables" / "outcome_comparisons.csv")
    assert len(compared) == 3
    least = compared["bootstrap_p"].idxmin()
    assert compared["p_holm"][least] == pytest.approx(min(1, 3 * compared["bootstrap_p"][least]))
    shares = pd.read_csv(finished / "out" / "tables" / "event_free.csv")
    third = metrics["outcomes"][1]["models"]["MAE"]["thirds"][0]["at"][0]
    assert (shares["at_risk"][0], shares["event_free"][0]) == (
        third["at_risk"],
        third["share"]["value"],
    )
    for name in ("outcome_flow", "kaplan_meier"):
        assert "records" in pd.read_csv(finished / "out" / "tables" / f"{name}.csv")
    assert not (finished / "out" / "tables" / "discrimination.csv").exists()


def test_the_page_shows_them_and_needs_nothing_else(finished):
    page = (finished / "out" / "report.html").read_text()
    assert all(s.startswith("data:image/") for s in re.findall(r'src="([^"]{0,30})', page))
    for target in re.findall(r'href="([^"]*)"', page):
        assert f'id="{target.removeprefix("#")}"' in page
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    for entry in metrics["outcomes"]:
        for found in entry["models"].values():
            leading = found["c_index"] if "c_index" in found else found["r2"]
            assert f"{leading['value']:.3f}".replace("-", "\N{MINUS SIGN}") in page
    assert page.count("<img ") == 2 * 2 + 3
    assert "they do not predict it: age+sex" in page
    assert "“ejection fraction” and “survival”" in page
    assert "Operating points" not in page
    assert "{{" not in page
    card = (finished / "out" / "model_card.md").read_text()
    assert "absolute risks were neither predicted nor judged" in card


def test_a_report_of_its_own_predictions_is_the_same(make_outcome_report_config, finished):
    config = make_outcome_report_config(finished)
    own = finished / "out" / "predictions.csv"
    config.models = tuple(f"{name}={own}" for name in ("MAE", "random", "age+sex"))
    run(config, finished / "again")
    first, second = (
        json.loads((finished / folder / "metrics.json").read_text()) for folder in ("out", "again")
    )
    assert first["outcomes"] == second["outcomes"]
    assert (finished / "again" / "predictions.csv").read_bytes() == own.read_bytes()


def test_a_label_and_outcomes_are_in_one_report(make_outcome_report_config, tmp_path):
    config = make_outcome_report_config(tmp_path)
    config.models = config.models[:2]
    config.label = "findings"
    run(config, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    columns = list(table)
    assert columns.index("MAE.findings.LVH & co") < columns.index("truth.ejection_fraction.value")
    assert len(table) == 240
    page = (tmp_path / "out" / "report.html").read_text()
    assert "All labels at a glance" in page
    assert "Agreement and calibration" in page


def test_faults_are_one_line_and_leave_nothing(make_outcome_report_config, tmp_path):
    config = make_outcome_report_config(tmp_path)

    def expect(match, **changes):
        changed = ml_collections.ConfigDict(config.to_dict())
        changed.update(changes)
        with pytest.raises(InputError, match=match) as fault:
            run(changed, tmp_path / "out")
        assert "\n" not in str(fault.value)
        assert not (tmp_path / "out").exists()

    probe = tmp_path / "probe.csv"
    expect(r"config\.label is empty, and so is config\.outcomes", outcomes=())
    expect(r"config\.outcomes names 'bnp', and none of .*probe\.csv", outcomes=("bnp",))
    expect(r"no model 'ViT'; it has \['MAE', 'random', 'age\+sex'\]", models=(f"ViT={probe}",))
    expect(r"truth\.ejection_fraction\.value is [\d.]+ in line 2", label="ejection_fraction")
    table = pd.read_csv(probe)
    table.assign(**{"truth.survival.event": 2}).to_csv(probe, index=False)
    expect(r"truth\.survival\.event holds 2 in one of", outcomes=("survival",))
    table["MAE.survival.risk"] = table["MAE.survival.risk"].mask(table.index == 200)
    table.to_csv(probe, index=False)
    expect(r"of 80 test records .*\{'MAE': 79, 'random': 80", outcomes=("survival",))


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_report_that_is_told_to_end_leaves_the_old_results(finished, zygote, tmp_path):
    # A copy: this process still holds the folder that it worked in.
    folder = shutil.copytree(finished / "out", tmp_path / "out")
    before, begun = files(folder), (folder / "history.jsonl").read_text()
    asked = ("label=", "outcomes=('ejection_fraction','survival')", "seed=1")
    models = f"models=MAE={finished / 'probe.csv'}"
    run = zygote.start(processes.arguments("report.py", folder, *asked, models))
    # A line of history says that it works in the folder; drawing takes it a while from there.
    processes.wait_for_lines(folder / "history.jsonl", len(begun.splitlines()) + 1, run)
    run.send(signal.SIGTERM)
    status = run.wait()
    after = files(folder)
    assert status == -signal.SIGTERM, run.err
    assert set(after) == set(before)
    stated = {"config.json", "versions.json"}
    assert {name for name in before if before[name] != after[name]} <= stated
    assert not list(folder.glob(".unfinished-*"))
