import json
import re

import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from configs.report import get_config
from ecgmae_jax.programs.report import run


@pytest.fixture(scope="module")
def finished(make_report_config, tmp_path_factory):
    """A folder with inputs of every kind and, in `out`, the report made from them."""
    folder = tmp_path_factory.mktemp("report")
    config = make_report_config(folder)
    rows = [
        {"task": "findings", "row": row, "share": share, "draw": draw, "auroc": 0.6 + share / 5}
        | {"patients": int(160 * share), "records": 1, "labels": 2, "labels_fitted": 2}
        for row in ("MAE", "random")
        for share in (0.1, 1.0)
        for draw in range(3 if share < 1 else 1)
    ]
    pd.DataFrame(rows).to_csv(folder / "few_shot.csv", index=False)
    (folder / "rejections.csv").write_text("record,code,detail\na,blank_page,x\nb,blank_page,x\n")
    (folder / "card.toml").write_text('intended_use = "None yet: <method> development"\n')
    for kind in ("pictures", "attributions"):
        (folder / kind).mkdir()
        for i in range(160, 240):
            Image.new("L", (1500, 30), i).save(folder / kind / f"{i:05d}.png")
    config.few_shot = str(folder / "few_shot.csv")
    config.rejections = str(folder / "rejections.csv")
    config.statements = str(folder / "card.toml")
    config.cases.pictures = str(folder / "pictures")
    config.cases.attributions = str(folder / "attributions")
    run(config, folder / "out")
    return folder


def test_every_figure_follows_from_the_predictions_beside_it(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    table = pd.read_csv(finished / "out" / "predictions.csv")
    test = table[table["part"] == "test"]
    validation = table[table["part"] == "validation"]
    assert list(metrics["macro"]) == ["MAE", "fine-tuned", "random"]
    for label in metrics["labels"]:
        truth = test[f"truth.findings.{label['label']}"].to_numpy()
        assert (label["records"], label["positives"]) == (80, truth.sum())
        for name, found in label["models"].items():
            scores = test[f"{name}.findings.{label['label']}"].to_numpy()
            expected = roc_auc_score(truth, scores), average_precision_score(truth, scores)
            values = found["auroc_bootstrap"]["value"], found["auprc_bootstrap"]["value"]
            assert values == pytest.approx(expected, rel=1e-12)
            brier = brier_score_loss(truth, scores)
            assert found["calibration"]["brier"] == pytest.approx(brier, rel=1e-12)
            point = found["operating_points"][0]
            positive = validation[validation[f"truth.findings.{label['label']}"] == 1]
            own = positive[f"{name}.findings.{label['label']}"] >= point["threshold"]
            assert own.mean() >= 0.9
            called = scores >= point["threshold"]
            assert point["test"]["true_positive"] == (called & (truth == 1)).sum()
    written = pd.read_csv(finished / "out" / "tables" / "discrimination.csv")
    assert len(written) == 6
    first = metrics["labels"][0]["models"]["MAE"]["auroc_delong"]
    assert written["auroc_delong_high"][0] == first["high"]


def test_the_page_needs_nothing_else_and_says_how_many(finished):
    page = (finished / "out" / "report.html").read_text()
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    targets = re.findall(r'href="([^"]*)"', page)
    assert targets
    for target in targets:
        assert f'id="{target.removeprefix("#")}"' in page
    assert "<script" not in page
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    for label in metrics["labels"]:
        assert f"{label['positives']} of 80 test records" in page
        for found in label["models"].values():
            assert f"{found['auroc_delong']['value']:.3f}" in page
            for point in found["operating_points"][:1]:
                assert point["test"]["sensitivity"]["of"] == label["positives"]
    assert "LVH &amp; co" in page
    assert "atrial fibrillation" in page
    assert "2 recordings could not be used:\n2 blank page." in page
    assert "None yet: &lt;method&gt; development" in page
    assert "PPV at 5.0\N{NO-BREAK SPACE}%" in page
    assert "{{" not in page


def test_pictures_of_the_chosen_cases_are_in_the_page_at_a_readable_size(finished):
    page = (finished / "out" / "report.html").read_text()
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    assert [case["kind"] for case in metrics["cases"]] == 2 * ["found", "missed", "false alarm"]
    assert page.count("data:image/jpeg;base64,") == 2 * len(metrics["cases"])
    assert "It shows patients’ ECGs" in page
    table = pd.read_csv(finished / "out" / "predictions.csv", dtype={"record_id": str})
    test = table[table["part"] == "test"]
    cases = test[test["truth.findings.LVH & co"] == 1]
    worst = cases.loc[cases["MAE.findings.LVH & co"].idxmin(), "record_id"]
    assert metrics["cases"][4]["record_id"] == worst


def test_the_card_says_what_is_stated_and_what_is_not(finished):
    card = (finished / "out" / "model_card.md").read_text()
    assert "- **Intended use**: None yet: <method> development" in card
    assert "- **Contact**: not stated" in card
    assert "80 records of 80 patients" in card
    assert "Subgroups by source, site, device, layout, image quality" in card
    assert "no few-shot runs" not in card


def without_validation(folder, config):
    config.models = config.models[:1]
    table = pd.read_csv(folder / "probe.csv", dtype={"record_id": str})
    table[table["part"] != "validation"].to_csv(folder / "probe.csv", index=False)
    return config


@pytest.fixture(scope="module")
def bare(make_report_config, tmp_path_factory):
    """The folder of a report of one model, without validation records and other inputs."""
    folder = tmp_path_factory.mktemp("bare")
    run(without_validation(folder, make_report_config(folder)), folder / "out")
    return folder


def test_the_same_config_gives_the_same_bytes(make_report_config, bare):
    run(without_validation(bare, make_report_config(bare)), bare / "again")
    for name in ("report.html", "metrics.json", "predictions.csv", "model_card.md"):
        first, second = (bare / folder / name for folder in ("out", "again"))
        assert first.read_bytes() == second.read_bytes()


def test_what_is_missing_is_said(bare):
    page = (bare / "out" / "report.html").read_text()
    assert "Thresholds and recalibration are missing" in page
    assert "there are no predictions of validation records" in page
    assert "no list of rejections was given" in page
    assert "It shows patients’ ECGs" not in page
    assert "Models compared" not in page
    card = (bare / "out" / "model_card.md").read_text()
    assert "Operating points and recalibration: the files have no predictions" in card
    assert not (bare / "out" / "tables" / "operating_points.csv").exists()
    assert not (bare / "out" / "tables" / "comparisons.csv").exists()


@pytest.mark.parametrize("variant", ["ptb_xl", "demo"])
def test_configs_name_models_of_their_own_runs(variant):
    config = get_config(variant)
    names = [entry.partition("=")[0] for entry in config.models]
    assert names == ["MAE", "random", "PCA", "fine-tuned"]
