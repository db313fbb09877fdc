"""Fine-tuning in rounds, killed in one of them, and on signals that are drawn in the step."""

import csv
import json
import re
import shutil
import signal

import numpy as np
import processes
import pytest
from sklearn.metrics import r2_score


def finetune(main, pretrained, workdir, *more, epochs, every, patience):
    """Batches of 16 pictures, some five of them an epoch; evaluated and saved after some steps."""
    settings = (
        *main.data(),
        f"checkpoint={pretrained}",
        f"epochs={epochs}",
        "warmup_epochs=1.0",
        "loader.batch_size=16",
        "compute.unroll=False",
        "ema_decay=0.9",
        f"patience={patience}",
        "every.log=1",
        f"every.evaluate={every}",
        f"every.checkpoint={every}",
        "bootstrap.resamples=20",
        *more,
    )
    return main.command("finetune.py:demo", workdir, *settings)


def in_rounds(main, pretrained, workdir):
    return finetune(
        main,
        pretrained,
        workdir,
        "folds=3",
        "class_weights=balanced",
        "focal_gamma=2.0",
        "aggregation=max",
        # It was pre-trained on patients who are then tested.
        "allow_overlap=True",
        epochs=6.0,
        every=4,
        patience=1,
    )


def read_rows(workdir):
    with (workdir / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cross_validated(main, pretrained, tmp_path_factory):
    """A cross-validation that was killed in its second round and started again."""
    workdir = tmp_path_factory.mktemp("rounds")
    command = in_rounds(main, pretrained, workdir)
    run = main.start(command)
    processes.wait_for_lines(workdir / "rounds" / "2" / "metrics.jsonl", 3, run)
    run.send(signal.SIGKILL)
    run.wait()
    assert not (workdir / "predictions.csv").exists()
    main.succeed(command)
    return workdir


def test_every_record_is_predicted_once(cross_validated):
    rows = read_rows(cross_validated)
    metrics = json.loads((cross_validated / "metrics.json").read_text())
    assert len({row["record_id"] for row in rows}) == len(rows)
    assert len(rows) == metrics["cohort"]["records"]
    assert {row["fold"] for row in rows} == {"fold1", "fold2", "fold3"}
    folds_of = {}
    for row in rows:
        folds_of.setdefault(row["group"], set()).add(row["fold"])
        assert float(row["fine-tuned.condition.sinus_rhythm"]) > 0
    assert all(len(folds) == 1 for folds in folds_of.values())
    for one in metrics["rounds"]:
        assert one["best_step"] <= one["steps"] <= one["scheduled_steps"]


def test_a_round_that_was_killed_gives_what_it_gives_undisturbed(main, pretrained, cross_validated):
    names = ("predictions.csv", "metrics.json")
    killed = [(cross_validated / name).read_bytes() for name in names]
    finished = [cross_validated / "rounds" / number / "predicted.npz" for number in "13"]
    made = [path.stat().st_mtime_ns for path in finished]
    shutil.rmtree(cross_validated / "rounds" / "2")
    main.succeed(in_rounds(main, pretrained, cross_validated))
    assert [(cross_validated / name).read_bytes() for name in names] == killed
    assert [path.stat().st_mtime_ns for path in finished] == made


def test_a_value_is_fine_tuned_and_the_report_reads_it(main, pretrained, tmp_path):
    command = finetune(
        main,
        pretrained,
        tmp_path / "age",
        "label=age_years",
        "label_smoothing=0.0",
        "allow_overlap=True",
        epochs=2.0,
        every=4,
        patience=1,
    )
    out = main.succeed(command)
    metrics = json.loads((tmp_path / "age" / "metrics.json").read_text())
    lines = (tmp_path / "age" / "metrics.jsonl").read_text().splitlines()
    judged = [line for line in map(json.loads, lines) if "validation_r2" in line]
    assert (
        max(judged, key=lambda line: line["validation_r2"])["step"]
        == (metrics["training"]["best_step"])
    )
    r2 = metrics["rows"]["fine-tuned"]["r2"]["value"]
    assert f"fine-tuned, age_years: R2 {r2:.3f}" in out
    rows = [row for row in read_rows(tmp_path / "age") if row["part"] == "test"]
    pairs = np.array(
        [[float(row[f"{who}.age_years.value"]) for who in ("truth", "fine-tuned")] for row in rows]
    )
    assert r2 == pytest.approx(r2_score(pairs[:, 0], pairs[:, 1]))
    report = main.command(
        "report.py:demo",
        tmp_path / "report",
        "label=",
        "outcomes=('age_years',)",
        f"models=tuned={tmp_path / 'age' / 'predictions.csv'}",
        "bootstrap.resamples=20",
    )
    main.succeed(report)
    (entry,) = json.loads((tmp_path / "report" / "metrics.json").read_text())["outcomes"]
    assert entry["models"]["tuned"]["r2"] == metrics["rows"]["fine-tuned"]["r2"]
    # What asks for probabilities says so.
    evaluate = main.command(
        "evaluate.py:demo", tmp_path / "evaluate", *main.data(), f"model={tmp_path / 'age'}"
    )
    done = main.run(evaluate)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "was fine-tuned on the number 'age_years'" in done.stderr


@pytest.mark.slow
def test_it_learns_from_signals_drawn_in_the_step_and_ends_early(main, pretrained, tmp_path):
    command = finetune(
        main,
        pretrained,
        tmp_path,
        "data.config=tiny_signal",
        "data.draw=device",
        "random_sheets=1",
        "splits.validation=0.3",
        "splits.test=('validation','test')",
        epochs=16.0,
        every=2,
        patience=2,
    )
    out = main.succeed(command)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    training = metrics["training"]
    said = re.search(r"ended early, at step (\d+) of (\d+): 2 evaluations in a row", out)
    assert said
    assert (int(said[1]), int(said[2])) == (training["steps"], training["scheduled_steps"])
    assert training["best_step"] == training["steps"] - 4
    rows = read_rows(tmp_path)
    # Thresholds are fixed on the patients held out of training, who are not tested.
    parts = {part: [row for row in rows if row["part"] == part] for part in ("validation", "test")}
    assert len(parts["test"]) == metrics["cohort"]["records"]
    assert {row["split"] for row in parts["test"]} == {"validation", "test"}
    groups = [{row["group"] for row in rows} for rows in parts.values()]
    assert groups[0] and not groups[0] & groups[1]
    names = [f"fine-tuned.condition.{name}" for name in metrics["classes"]]
    sums = [sum(float(row[name]) for name in names) for row in rows]
    np.testing.assert_allclose(sums, 1, atol=1e-4)
