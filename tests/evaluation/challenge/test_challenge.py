"""The evaluator as a whole: the official answers where there are any, small cases, its faults."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge.evaluator import evaluate, main

CASES = ("a_typical_joined", "b_single_codes_ties", "c_quirks")
SINUS, FIRST, SECOND, THIRD = "426783006", "713427006", "59118001", "164889003"
WEIGHTS = {
    2020: f"""\
,{THIRD},{FIRST},{SECOND},{SINUS}
{THIRD},1.0,0.3,0.3,0.25
{FIRST},0.3,1.0,1.0,0.4
{SECOND},0.3,1.0,1.0,0.4
{SINUS},0.25,0.4,0.4,1.0
""",
    2021: f"""\
,{THIRD},{FIRST}|{SECOND},{SINUS}
{THIRD},1.0,0.3,0.25
{FIRST}|{SECOND},0.3,1.0,0.4
{SINUS},0.25,0.4,1.0
""",
}


@pytest.fixture
def oracle(real_data):
    """Cases with the answers of the official evaluators."""
    folder = real_data.parent / "fixtures" / "challenge_oracle"
    if not folder.is_dir():
        pytest.skip(f"no cases of the official evaluators in {folder}")
    return folder


@pytest.fixture
def folders(tmp_path):
    """Four records, each with one class but the last, and a model that is right about them."""
    truths = {"r1": SINUS, "r2": SECOND, "r3": f"{THIRD},999", "r4": "999"}
    for name in ("labels", "outputs"):
        (tmp_path / name).mkdir()
    for record, codes in truths.items():
        (tmp_path / "labels" / f"{record}.hea").write_text(f"{record} 12 500 5000\n#Dx: {codes}\n")
        known = [code for code in (THIRD, FIRST, SECOND, SINUS)]
        rows = [
            known,
            [str(int(code in codes)) for code in known],
            [str(0.5 + 0.25 * (code in codes)) for code in known],
        ]
        text = "\n".join([f"#{record}", *(",".join(row) for row in rows)])
        (tmp_path / "outputs" / f"{record}.csv").write_text(text + "\n")
    for year, text in WEIGHTS.items():
        (tmp_path / f"weights{year}.csv").write_text(text)
    return tmp_path


def score(folders, *, year):
    return evaluate(
        folders / "labels",
        folders / "outputs",
        weights=folders / f"weights{year}.csv",
        year=year,
    )


@pytest.mark.parametrize("year", [2020, 2021])
@pytest.mark.parametrize("case", CASES)
def test_the_official_answers_are_given_to_the_last_digit(
    oracle, real_data, tmp_path, capsys, case, year
):
    weights = real_data / f"challenge-{year}" / "evaluation" / "weights.csv"
    folder = oracle / case
    found = evaluate(folder / "labels", folder / "outputs", weights=weights, year=year)
    expected = json.loads((folder / "expected.json").read_text())[str(year)]
    assert list(found.classes) == expected["classes"]
    names = {
        "AUROC": "auroc",
        "AUPRC": "auprc",
        "Accuracy": "accuracy",
        "F-measure": "f_measure",
        "Fbeta-measure": "f_beta_2",
        "Gbeta-measure": "g_beta_2",
        "Challenge metric": "challenge_metric",
    }
    for measure, value in found.overall.items():
        assert value == expected[names[measure]], measure
    for measure, values in found.by_class.items():
        official = expected[f"{names[measure]}_classes"]
        assert values.tolist() == pytest.approx(
            [math.nan if value is None else value for value in official], rel=0, abs=0, nan_ok=True
        )
    files = [tmp_path / "scores.csv", tmp_path / "class_scores.csv"]
    arguments = [folder / "labels", folder / "outputs", *files]
    arguments += [f"--year={year}", f"--weights={weights}"]
    assert main(list(map(str, arguments))) == 0
    for path in files:
        official = folder / f"expected_{year}_{path.name}"
        assert path.read_bytes() == official.read_bytes()
    assert capsys.readouterr().out == files[0].read_text() + "\n"


@pytest.mark.parametrize("year", [2020, 2021])
def test_the_truth_scores_one_and_sinus_rhythm_alone_zero(folders, year):
    found = score(folders, year=year).overall
    assert found["Challenge metric"] == found["Accuracy"] == found["AUROC"] == 1
    for path in (folders / "outputs").iterdir():
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:2], "0,0,0,1", *lines[3:]]))
    assert score(folders, year=year).overall["Challenge metric"] == 0


def test_the_year_decides_about_measures_and_names_of_classes(folders):
    older, newer = (score(folders, year=year) for year in (2020, 2021))
    assert older.classes == (THIRD, FIRST, SINUS)
    assert newer.classes == (THIRD, f"{SECOND}|{FIRST}", SINUS)
    assert set(older.overall) - set(newer.overall) == {"Fbeta-measure", "Gbeta-measure"}
    assert older.scores_csv().splitlines()[1].count("1.000") == 7


def test_classes_without_a_case_are_nan_and_in_no_mean(folders):
    (folders / "labels" / "r3.hea").write_text("r3 12 500 5000\n#Dx: 999\n")
    (folders / "outputs" / "r3.csv").write_text("#r3\n999\n0\n0\n")
    found = score(folders, year=2021)
    assert np.isnan(found.by_class["AUROC"]).tolist() == [True, False, False]
    assert found.overall["AUROC"] == 1
    assert found.class_scores_csv().splitlines()[1].startswith("AUROC,nan,1.000")


def test_the_command_is_that_of_the_documentation(folders, repository):
    command = [sys.executable, "-m", "ecgmae_jax.evaluation.challenge", "labels", "outputs"]
    command += ["scores.csv", "--year=2020", "--weights=weights2020.csv"]
    environment = {"PYTHONPATH": str(repository)}
    done = subprocess.run(command, cwd=folders, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("AUROC,AUPRC,Accuracy")
    assert (folders / "scores.csv").read_text() + "\n" == done.stdout
    (folders / "outputs" / "r2.csv").unlink()
    (folders / "scores.csv").unlink()
    done = subprocess.run(command, cwd=folders, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "error: outputs has no r2.csv (1 of 4 records are missing); every header needs an output: "
        "run predict on all of them\n"
    )
    assert not (folders / "scores.csv").exists()


def test_weights_without_sinus_rhythm_are_refused(folders):
    path = folders / "weights2021.csv"
    path.write_text(path.read_text().replace(SINUS, "1"))
    with pytest.raises(InputError, match="weights have no class 426783006"):
        score(folders, year=2021)


def test_a_place_that_cannot_be_written_is_named(folders, capsys):
    (folders / "a_file").touch()
    arguments = ["labels", "outputs", "a_file/scores.csv"]
    paths = [str(folders / one) for one in arguments]
    assert main([*paths, f"--weights={folders / 'weights2021.csv'}"]) == 2
    assert "scores.csv cannot be written: File exists" in capsys.readouterr().err
