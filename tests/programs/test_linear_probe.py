import json
import re

import ml_collections
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from configs import ptbxl
from configs.linear_probe import get_config
from data_builders.ptb_xl.statements import label_classes
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.embeddings import (
    Embeddings,
    Labels,
    read_embeddings,
    write_embeddings,
)
from ecgmae_jax.evaluation.readouts.probe_files import load_probe
from ecgmae_jax.evaluation.readouts.probes import predict
from ecgmae_jax.evaluation.statistics.concordance import concordance
from ecgmae_jax.evaluation.statistics.intervals import patient_resamples
from ecgmae_jax.programs.linear_probe import run

CLASSES = ("AF", "sinus rhythm", "PVC & co")


def _write(path, *, strength, relabel=None, num_patients=60):
    """Two pictures a record, two records a patient; the last third of patients is `test`."""
    truth = np.random.default_rng(0)
    patients = np.repeat(np.arange(num_patients), 4)
    records = np.repeat(np.arange(2 * num_patients), 2)
    rhythm = np.eye(3, dtype=np.float32)[truth.integers(0, 3, 2 * num_patients)]
    findings = (truth.random((2 * num_patients, 2)) < 0.4).astype(np.float32)
    findings[~findings.any(axis=1)] = np.nan
    frame = pd.DataFrame(
        {
            "record_id": [f"r{i:03d}" for i in records],
            "patient_id": [f"p{i:03d}" for i in patients],
            "source": "made-up",
            "segment": np.tile([0, 1], 2 * num_patients),
            "start_s": np.tile([0.0, 10.0], 2 * num_patients),
            "group": [f"{i:016x}" for i in patients],
            "split": np.select(
                [patients >= num_patients * 2 // 3, patients % 10 == 3],
                ["test", "validation"],
                "train",
            ),
            "age_years": np.where(patients % 7, 40.0 + patients, np.nan),
            "sex": "female",
            "diagnoses": [[]] * len(records),
        }
    )
    labels = {
        "condition": Labels(CLASSES, True, False, rhythm[records]),
        "findings": Labels(("LVH", "RBBB"), False, True, findings[records]),
    }
    rng = np.random.default_rng(len(path.name))
    matrix = rng.normal(size=(len(records), 8)).astype(np.float32)
    matrix[:, :3] += strength * rhythm[records]
    metadata = {"encoder": path.stem, "pooling": "mean", "checkpoint": "c0ffee"}
    metadata["dataset"] = {"name": "made_up", "config": "sheet"}
    lvef = 55 - 12.0 * rhythm[:, 0] + truth.normal(size=2 * num_patients)
    time = truth.exponential(np.exp(-rhythm[:, 0]))
    numbers = {
        "lvef": lvef[records],
        "death.time": np.minimum(time, 1.0)[records],
        "death.event": (time <= 1.0).astype(float)[records],
    }
    embeddings = Embeddings(frame, labels, matrix, metadata, numbers)
    if relabel is not None:
        relabel(embeddings)
    write_embeddings(path, embeddings)


ROWS = {"MAE": 1.5, "random": 0.7, "PCA": 0.0}


def _config(folder):
    config = get_config("demo")
    config.rows = {name: str(folder / f"{name}.parquet") for name in ROWS}
    config.order = (*ROWS, "age+sex")
    config.labels = ("condition", "findings")
    config.outcomes = ("lvef", "death")
    config.bootstrap.resamples = 40
    config.probe.grid = (1e-3, 1e-1)
    config.readouts.neighbours.rows = ("random",)
    config.readouts.batchnorm.update(rows=("MAE",), steps=90)
    config.few_shot = {"shares": (0.1, 1.0), "draws": 2}
    for name, strength in ROWS.items():
        _write(folder / f"{name}.parquet", strength=strength)
    return config


@pytest.fixture
def config(tmp_path):
    return _config(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with embeddings and, in `out`, what one run made of them."""
    folder = tmp_path_factory.mktemp("finished")
    run(_config(folder), folder / "out")
    return folder


def test_every_figure_follows_from_the_predictions_file(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    table = pd.read_csv(finished / "out" / "predictions.csv")
    assert list(metrics["encoders"]) == [*ROWS, "age+sex"]
    for task, found in metrics["tasks"].items():
        truth_columns = [f"truth.{task}.{name}" for name in found["classes"]]
        test = table[(table["part"] == "test") & table[truth_columns].notna().all(axis=1)]
        truth = test[truth_columns].to_numpy(np.float32)
        assert found["cohort"]["test"]["records"] == len(test)
        assert found["cohort"]["test"]["patients"] == test["group"].nunique()
        resamples = patient_resamples(
            test["group"].to_numpy(str), truth, num_resamples=40, seed=metrics["seed"]
        )
        for name, row in found["rows"].items():
            scores = test[[f"{name}.{task}.{c}" for c in found["classes"]]].to_numpy()
            areas = [roc_auc_score(t, s) for t, s in zip(truth.T, scores.T, strict=True)]
            precisions = [
                average_precision_score(t, s) for t, s in zip(truth.T, scores.T, strict=True)
            ]
            macro = row["macro"]["all"]
            np.testing.assert_allclose(macro["auroc"]["value"], np.mean(areas), rtol=1e-12)
            np.testing.assert_allclose(macro["auprc"]["value"], np.mean(precisions), rtol=1e-12)
        row = found["rows"]["random"]
        scores = test[[f"random.{task}.{c}" for c in found["classes"]]].to_numpy()
        means = [
            np.mean([roc_auc_score(truth[i, k], scores[i, k]) for k in range(truth.shape[1])])
            for i in (np.repeat(np.arange(len(test)), weights) for weights in resamples.weights)
        ]
        low = row["macro"]["all"]["auroc"]["low"]
        np.testing.assert_allclose(low, np.quantile(means, 0.025), rtol=1e-9)
    condition = metrics["tasks"]["condition"]["rows"]
    assert condition["MAE"]["macro"]["all"]["auroc"]["value"] > 0.85
    assert condition["PCA"]["difference"]["all"]["auroc"]["high"] < 0
    summary = (finished / "out" / "summary.txt").read_text()
    assert f"{condition['random']['macro']['all']['auroc']['value']:.3f}" in summary
    assert summary.endswith(f"report: {finished / 'out' / 'report.html'}\n")


def test_readouts_and_few_labels_are_in_the_tables(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    figures = pd.read_csv(finished / "out" / "figures.csv").fillna({"label": ""})
    shots = pd.read_csv(finished / "out" / "few_shot.csv")
    summary = (finished / "out" / "summary.txt").read_text()
    for task, found in metrics["tasks"].items():
        own = figures[(figures["task"] == task) & (figures["label"] == "")]
        means = own[own["min_positives"] == 1].set_index(["row", "readout"])["auroc"]
        assert set(means.index) == {
            *((name, "logistic") for name in (*ROWS, "age+sex")),
            ("random", "neighbours"),
            ("MAE", "batchnorm"),
        }
        assert [entry["readout"] for entry in found["readouts"]] == ["neighbours", "batchnorm"]
        whole = shots[(shots["task"] == task) & (shots["share"] == 1)].set_index("row")["auroc"]
        for name in (*ROWS, "age+sex"):
            assert whole[name] == pytest.approx(means[name, "logistic"], abs=1e-12)
            value = found["rows"][name]["macro"]["all"]["auroc"]["value"]
            assert means[name, "logistic"] == pytest.approx(value, abs=1e-12)
        assert (finished / "out" / "figures" / f"{task}_few_shot.png").stat().st_size > 5_000
        assert f"{means['MAE', 'batchnorm']:.3f}" in summary
    assert metrics["outcomes"]["lvef"]["rows"]["MAE"]["r2"]["value"] > 0.2
    assert metrics["settings"]["readouts"]["batchnorm"]["steps"] == 90


def test_numeric_outcomes_follow_from_the_predictions_file(finished):
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    table = pd.read_csv(finished / "out" / "predictions.csv")
    test = table[table["part"] == "test"]
    for row, found in metrics["outcomes"]["lvef"]["rows"].items():
        scores = r2_score(test["truth.lvef.value"], test[f"{row}.lvef.value"])
        assert found["r2"]["value"] == pytest.approx(scores, rel=1e-12)
    assert table[table["part"] == "train"]["MAE.lvef.value"].isna().all()
    assert table[table["part"] == "validation"]["MAE.lvef.value"].notna().all()
    death = metrics["outcomes"]["death"]["rows"]["MAE"]["c_index"]
    index = concordance(
        test["truth.death.time"].to_numpy(),
        test["truth.death.event"].to_numpy() > 0,
        test["MAE.death.risk"].to_numpy(),
        np.ones((1, len(test))),
    )
    assert death["value"] == pytest.approx(index[0], rel=1e-12)


def test_validation_records_are_predicted_and_nothing_else(finished):
    table = pd.read_csv(finished / "out" / "predictions.csv")
    assert table["part"].value_counts().to_dict() == {"train": 72, "test": 40, "validation": 8}
    probe = load_probe(finished / "out" / "probes" / "MAE_condition.npz")
    records = aggregate_records(read_embeddings(finished / "MAE.parquet"), rule="mean")
    own = table[table["part"] == "validation"]
    rows = records.frame["record_id"].isin(own["record_id"]).to_numpy()
    np.testing.assert_allclose(
        own["MAE.condition.AF"], predict(probe, records.matrix[rows])[:, 0], rtol=1e-9
    )
    means = records.matrix[(records.frame["split"] == "train").to_numpy()].mean(axis=0)
    np.testing.assert_allclose(probe.mean, means, rtol=1e-5)


def test_the_report_needs_nothing_else_and_names_what_it_shows(finished):
    page = (finished / "out" / "report.html").read_text()
    links = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert links
    assert all(link.startswith("data:image/png;base64,") for link in links)
    assert "<script" not in page
    metrics = json.loads((finished / "out" / "metrics.json").read_text())
    for name, row in metrics["tasks"]["condition"]["rows"].items():
        assert f"{row['macro']['all']['auroc']['value']:.3f}" in page
        assert (f"{name}.parquet" if name in ROWS else "made of the table") in page
    assert "PVC &amp; co" in page
    assert "not a medical device" in page
    assert "240 pictures, 120 records" in page
    assert "made_up sheet" in page


def test_the_saved_probe_gives_the_predictions(finished):
    probe = load_probe(finished / "out" / "probes" / "MAE_condition.npz")
    assert probe.metadata["checkpoint"] == "c0ffee"
    assert (probe.metadata["task"], probe.metadata["aggregation"]) == ("condition", "mean")
    records = aggregate_records(read_embeddings(finished / "MAE.parquet"), rule="mean")
    expected = pd.read_csv(finished / "out" / "predictions.csv").set_index("record_id")
    found = pd.DataFrame(predict(probe, records.matrix), index=records.frame["record_id"])
    test = expected[expected["part"] == "test"].index
    columns = [f"MAE.condition.{name}" for name in probe.classes]
    np.testing.assert_allclose(found.loc[test], expected.loc[test, columns], rtol=1e-9)
    train = expected[expected["part"] == "train"]
    assert train[columns].isna().all(axis=None)


def test_the_same_config_gives_the_same_bytes(finished, capsys):
    run(_config(finished), finished / "again")
    for name in ("metrics.json", "predictions.csv", "report.html"):
        first, second = (finished / folder / name for folder in ("out", "again"))
        assert first.read_bytes() == second.read_bytes()
    assert "240 pictures -> 120 records (rule: mean)" in capsys.readouterr().out


def test_a_single_class_in_training_is_refused(config, tmp_path):
    def make_rare(embeddings):
        values = embeddings.labels["findings"].values
        values[:, 0] = np.where(np.isnan(values[:, 0]), np.nan, 0.0)
        values[:4, :] = 1.0

    for name in config.rows:
        _write(tmp_path / f"{name}.parquet", strength=1.0, relabel=make_rare)
    config.labels = ("findings",)
    with pytest.raises(InputError, match=r"label 'findings': a single class in training.*'LVH': 2"):
        run(config, tmp_path / "out")


def test_faults_name_file_and_remedy_and_leave_nothing(config, tmp_path):
    def expect(match, change):
        changed = ml_collections.ConfigDict(config.to_dict())
        change(changed)
        with pytest.raises(InputError, match=match) as fault:
            run(changed, tmp_path / "out")
        assert "\n" not in str(fault.value)
        assert not (tmp_path / "out").exists()

    expect(
        r"MAE\.parquet: no column label\.outcome; .*'label\.condition', 'label\.findings'",
        lambda c: c.update(labels=("outcome",)),
    )
    expect(r"missing\.parquet: no such file", lambda c: c.rows.update(PCA="missing.parquet"))
    expect(r"config\.order is \('ViT',\).*'MAE'", lambda c: c.update(order=("ViT",)))
    expect(r"splits\.test is \('fold9',\)", lambda c: c.splits.update(test=("fold9",)))
    expect(r"both train and test", lambda c: c.splits.update(train=("train", "test")))
    expect(r"rule 'sum' unknown", lambda c: c.update(aggregation="sum"))
    known = r"\['death', 'lvef', 'age_years'\]"
    expect(rf"names 'bnp'; .* {known}", lambda c: c.update(outcomes=("bnp",)))
    expect(r"shares \(2\.0,\) in 3", lambda c: c.update(few_shot={"shares": (2,), "draws": 3}))
    expect(r"readouts names \['svm'\]", lambda c: c.update(readouts={"svm": {"rows": ()}}))
    expect(r"reads \('MAE', 'ViT'\)", lambda c: c.readouts.neighbours.update(rows=("ViT",)))
    expect(r"values of C above 0", lambda c: c.probe.update(grid=(0.0, 1.0)))
    expect(r"folds is 1; at least 2", lambda c: c.probe.update(folds=1))
    expect(r"confidence 95\.0", lambda c: c.bootstrap.update(confidence=95.0))
    expect(r"config\.labels is empty", lambda c: c.update(labels=(), outcomes=()))


def test_rows_over_other_records_are_refused(config, tmp_path):
    _write(tmp_path / "PCA.parquet", strength=0.0, num_patients=57)
    with pytest.raises(InputError, match=r"PCA\.parquet has 228 pictures, .*MAE\.parquet has 240"):
        run(config, tmp_path / "out")


@pytest.mark.parametrize("variant", ["ptb_xl", "fold9", "demo"])
def test_configs_name_their_rows(variant):
    config = get_config(variant)
    left_out = {"tokens", "convolutions"} if variant == "demo" else {"tokens"}
    assert set(config.order) - {"age+sex"} == set(config.rows) - left_out
    assert config.splits.test == (("validation",) if variant == "fold9" else ("test",))


@pytest.mark.parametrize("task", ["super", "sub", "diag", "form", "rhythm", "all"])
def test_the_benchmark_of_ptb_xl_has_its_protocol(task):
    config, on_nine = ptbxl.get_config(task), ptbxl.get_config(f"{task}_fold9")
    (label,) = config.labels
    assert on_nine.labels == (label,)
    assert label in label_classes()
    assert config.splits.to_dict() == {
        "train": ("train",),
        "validation": ("validation",),
        "test": ("test",),
    }
    assert on_nine.splits.to_dict() == {
        "train": ("train",),
        "validation": (),
        "test": ("validation",),
    }
    assert (config.bootstrap.resamples, config.bootstrap.confidence) == (100, 0.9)
    assert set(config) == set(get_config())
