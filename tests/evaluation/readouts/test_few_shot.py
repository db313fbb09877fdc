import io

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.readouts.few_shot import draw_patients, few_shot_rows, summarise_draws
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, probe_task
from ecgmae_jax.evaluation.reporting.few_shot_figure import few_shot_figure

SETTINGS = ProbeSettings(grid=(1e-2, 1.0), num_folds=3, num_resamples=20, confidence=0.95, seed=0)


def test_draws_are_whole_patients_nested_and_the_same_every_time():
    groups = np.repeat([f"p{i:02d}" for i in range(40)], 3)
    draws = draw_patients(groups, shares=(0.01, 0.1, 0.5, 1.0), draws=3, seed=5)
    assert [(d.share, d.number) for d in draws if d.share == 1] == [(1.0, 0)]
    assert [d.patients for d in draws[:4]] == [2, 4, 20, 40]
    for draw in draws:
        drawn = groups[draw.rows]
        assert len(drawn) == 3 * draw.patients == 3 * len(set(drawn))
    by_share = {(d.share, d.number): set(d.rows.tolist()) for d in draws}
    for number in range(3):
        assert by_share[0.01, number] < by_share[0.1, number] < by_share[0.5, number]
    assert by_share[0.5, 0] != by_share[0.5, 1]
    again = draw_patients(groups, shares=(0.01, 0.1, 0.5, 1.0), draws=3, seed=5)
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(draws, again, strict=True))


@pytest.fixture
def run(make_embeddings):
    def few_shot(task, shares=(0.02, 0.5, 1.0)):
        strong, weak = (
            aggregate_records(make_embeddings(num_patients=60, signal=signal), rule="mean")
            for signal in (3.0, 0.0)
        )
        encoders = {"strong": strong, "weak": weak}
        parts = part_rows(strong.frame, {"train": ("train",), "test": ("test",)})
        result = probe_task(encoders, parts, task=task, settings=SETTINGS)
        lines = few_shot_rows(
            encoders, parts, task=task, result=result, shares=shares, draws=3, settings=SETTINGS
        )
        return lines, result

    return few_shot


def test_all_patients_give_the_figure_of_the_report(run):
    lines, result = run("rhythm")
    for name, row in result.metrics["rows"].items():
        (whole,) = [line for line in lines if line["row"] == name and line["share"] == 1]
        assert whole["auroc"] == pytest.approx(row["macro"]["all"]["auroc"]["value"], abs=1e-12)
        assert whole["labels"] == whole["labels_fitted"] == 3
    assert len(lines) == 2 * (3 + 3 + 1)


def test_more_patients_help_an_encoder_that_knows_and_no_other(run):
    summary = {(e["row"], e["share"]): e for e in summarise_draws(run("rhythm")[0])}
    strong = [summary["strong", share]["auroc"] for share in (0.02, 0.5, 1.0)]
    assert strong[0] < strong[1] <= strong[2] + 0.05
    assert abs(summary["weak", 1.0]["auroc"] - 0.5) < 0.15
    half = summary["strong", 0.5]
    assert half["least"] <= half["auroc"] <= half["largest"]
    assert (half["draws"], half["patients"]) == (3, 20)


def test_labels_that_a_draw_lacks_count_one_half(run):
    lines, _ = run("rhythm", shares=(0.02,))
    for line in lines:
        assert line["patients"] == 2
        if not line["labels_fitted"]:
            assert line["auroc"] == 0.5
    assert any(line["labels_fitted"] == 0 for line in lines)


def test_the_figure_is_a_picture_with_a_line_per_encoder(run):
    png = few_shot_figure(summarise_draws(run("rhythm")[0]))
    colours = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)
    for blue_or_orange in ((0, 114, 178), (213, 94, 0)):
        assert (colours == blue_or_orange).all(axis=1).sum() > 200
