"""The whole way, program after program; the first ones started as the README says."""

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

FILES = {
    "MAE": "embeddings.parquet",
    "random": "embeddings_random.parquet",
    "convolutions": "embeddings_convolutions.parquet",
    "PCA": "embeddings_pca.parquet",
}


@pytest.fixture(scope="module")
def embedded(main, pretrained, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("embed")
    main.succeed_typed(
        main.command(
            "embed.py:demo",
            workdir,
            *main.data(),
            f"checkpoint={pretrained}",
            "pooling=both",
            "further_poolings=('regional-2x3',)",
            "baselines=('random','convolutions','PCA')",
            "convolutions.filters=8",
            "pca.components=16",
        )
    )
    return workdir


@pytest.fixture(scope="module")
def probed(main, embedded, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("probe")
    rows = [f"rows.{name}={embedded / file}" for name, file in FILES.items()]
    tokens = f"rows.tokens={embedded / 'embeddings_regional-2x3.parquet'}"
    attentive = ("readouts.attentive.rows=('tokens',)", "readouts.attentive.steps=50")
    order = f"order={(*FILES, 'age+sex')}"
    settings = (*rows, tokens, order, *attentive, "bootstrap.resamples=50")
    out = main.succeed_typed(main.command("linear_probe.py:demo", workdir, *settings))
    assert str(workdir / "report.html") in out
    return workdir


@pytest.fixture(scope="module")
def finetuned(main, pretrained, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("finetune")
    main.succeed_typed(
        main.command(
            "finetune.py:demo",
            workdir,
            *main.data(),
            f"checkpoint={pretrained}",
            "epochs=2",
            "loader.batch_size=16",
            "every.evaluate=5",
            "bootstrap.resamples=50",
        )
    )
    return workdir


def test_pretraining_leaves_a_record_of_itself(pretrained):
    config = json.loads((pretrained / "config.json").read_text())
    assert config["model"]["width"] == 32
    versions = json.loads((pretrained / "versions.json").read_text())
    assert len(versions["data"]["simulated_ecg"]) == 16
    assert versions["packages"]["jax"]
    assert list(pretrained.glob("events.out.tfevents.*"))
    lines = [json.loads(line) for line in (pretrained / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 24
    assert 0 < lines[-1]["validation_loss"] < lines[11]["validation_loss"] * 1.05
    assert 0 <= lines[-1]["probe_condition_auroc"] <= 1


def test_embeddings_of_all_encoders_are_of_the_same_pictures(embedded):
    tables = [pq.read_table(embedded / name) for name in FILES.values()]
    widths = [table.schema.field("embedding").type.list_size for table in tables]
    assert widths == [64, 64, 4 * 4 * 8, 16]
    for table in tables:
        assert table["record_id"] == tables[0]["record_id"]
        assert set(table["split"].to_pylist()) == {"train", "validation", "test"}
    mae, untrained = (np.stack(table["embedding"].to_numpy()) for table in tables[:2])
    assert np.abs(mae - untrained).max() > 1e-3


def test_the_probe_reports_its_rows(probed):
    task = json.loads((probed / "metrics.json").read_text())["tasks"]["condition"]
    assert list(task["rows"]) == [*FILES, "age+sex"]
    read = [(entry["row"], entry["readout"]) for entry in task["readouts"]]
    assert read == [("MAE", "neighbours"), ("random", "neighbours"), ("tokens", "attentive")]
    report = (probed / "report.html").read_text()
    assert all(name in report for name in task["rows"])
    assert "http://" not in report.replace("http://www.w3.org", "")


def test_predictions_of_finetuning_are_one_row_per_record(finetuned):
    with (finetuned / "predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "test"]
    metrics = json.loads((finetuned / "metrics.json").read_text())
    assert len(rows) == metrics["cohort"]["records"]
    names = [f"fine-tuned.condition.{name}" for name in metrics["classes"]]
    sums = [sum(float(row[name]) for name in names) for row in rows]
    np.testing.assert_allclose(sums, 1, atol=1e-4)


@pytest.mark.parametrize("kind", ["finetuned", "probe"])
def test_a_model_evaluated_again_gives_its_own_figures(main, request, tmp_path, kind):
    if kind == "finetuned":
        model = request.getfixturevalue("finetuned")
        before = json.loads((model / "metrics.json").read_text())["rows"]["fine-tuned"]
    else:
        folder = request.getfixturevalue("probed")
        model = folder / "probes" / "MAE_condition.npz"
        tasks = json.loads((folder / "metrics.json").read_text())["tasks"]
        before = tasks["condition"]["rows"]["MAE"]
    settings = (*main.data(), f"model={model}", "bootstrap.resamples=50")
    main.succeed(main.command("evaluate.py:demo", tmp_path, *settings))
    after = json.loads((tmp_path / "metrics.json").read_text())["rows"]["model"]
    for measure in ("auroc", "auprc"):
        assert after["macro"]["all"][measure]["value"] == pytest.approx(
            before["macro"]["all"][measure]["value"], abs=1e-6
        )


def test_reconstructions_are_a_picture_of_all_columns(main, pretrained, tmp_path):
    settings = (*main.data(), f"checkpoint={pretrained}", "num_pictures=2")
    main.succeed(main.command("reconstruct.py:demo", tmp_path, *settings))
    panel = np.asarray(Image.open(tmp_path / "reconstructions.png"))
    # Four columns of two pictures: the second is grey in three quarters of its patches.
    column = panel.shape[1] // 4
    grey = (panel == 153).all(axis=-1)
    share = [grey[:, i * column : (i + 1) * column].sum() / (2 * 64 * 96) for i in range(4)]
    assert share[1] == pytest.approx(0.75, abs=0.03)
    assert max(share[0], share[2], share[3]) < 0.1


@pytest.mark.parametrize(
    ("config", "settings", "words"),
    [
        ("pretrain.py:demo", ["data.data_dir=/nowhere"], ["/nowhere", "tfds build"]),
        ("pretrain.py:demo", ["model.widht=64"], ["widht", "width"]),
        ("embed.py:demo", ["checkpoint=/nowhere"], ["/nowhere", "checkpoints"]),
        ("pretrain.py:demo", ["model.patch=(10, 10)"], ["10x10", "64x96", "patch_size"]),
    ],
)
def test_a_fault_in_the_input_is_one_line_and_leaves_nothing(
    main, tmp_path, config, settings, words
):
    workdir = tmp_path / "run"
    data = () if any(one.startswith("data.") for one in settings) else main.data()
    done = main.run(main.command(config, workdir, *data, *settings))
    assert done.returncode not in (0, None)
    last = done.stderr.strip().splitlines()[-1]
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr or "widht" in last
    assert not list(workdir.glob("checkpoints/*"))


@pytest.mark.parametrize("kind", [pytest.param("finetuned", marks=pytest.mark.slow), "probe"])
def test_a_model_answers_as_the_challenge_asks_and_shows_where_it_looks(
    main, request, tmp_path, kind
):
    model = request.getfixturevalue("finetuned" if kind == "finetuned" else "probed")
    if kind == "probe":
        model = model / "probes" / "MAE_condition.npz"
    validation = [f"validation.{one.removeprefix('data.')}" for one in main.data()]
    predicted = main.command(
        "predict.py:demo", tmp_path / "p", *main.data(), *validation, f"model={model}"
    )
    main.succeed(predicted)
    outputs = sorted((tmp_path / "p" / "outputs").glob("*.csv"))
    assert outputs[0].read_text().startswith(f"#{outputs[0].stem}\n")
    few = ("num_records=2", "steps=2", "deletion.draws=1", "bootstrap.resamples=20")
    shown = main.command(
        "attribution.py:demo", tmp_path / "a", *main.data(), f"model={model}", *few
    )
    main.succeed(shown)
    assert len(list((tmp_path / "a" / "overlays").glob("*.png"))) == 2
    assert (tmp_path / "a" / "summary.json").is_file()
