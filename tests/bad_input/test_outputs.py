"""What a cohort's own words may do to whoever opens the results: nothing."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from configs.report import get_config
from ecgmae_jax.cohorts.findings import Finding, findings_csv
from ecgmae_jax.evaluation.publishing import csv_bytes
from ecgmae_jax.programs import report
from ecgmae_jax.spreadsheets import safe_cell

FORMULAS = ("=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "  =1", "\n=1", "=cmd|' /C calc'!A0")
SCRIPT = "<script>alert(1)</script>"


def cells(content):
    return [cell for row in csv.reader(io.StringIO(content.decode(), newline="")) for cell in row]


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def runs(cell):
    """Whether a spreadsheet program would take the cell for a formula."""
    return cell.lstrip().startswith(("=", "+", "-", "@")) and not is_number(cell)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text_once(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(safe_cell(text)) == safe_cell(text)


@pytest.mark.parametrize("text", ["", "plain", "1e5", "a=b", "0-1", "'=1"])
def test_other_cells_stay_as_they_are(text):
    assert safe_cell(text) == text


def test_a_table_keeps_its_numbers_and_loses_its_formulas():
    table = pd.DataFrame({"site": FORMULAS, "score": np.linspace(-1, 1, len(FORMULAS))})
    table["part"] = table["site"].astype("category")
    table["truth"] = pd.array([1, None] * (len(FORMULAS) // 2), dtype="Int8")
    content = csv_bytes(table)
    assert not any(map(runs, cells(content)))
    found = pd.read_csv(io.BytesIO(content))
    np.testing.assert_array_equal(found["score"], table["score"])
    assert found["truth"].isna().sum() == len(FORMULAS) // 2
    assert list(table["site"]) == list(FORMULAS)


def test_findings_name_places_and_run_nothing():
    findings = [Finding("no-scan", f"{text} line 2", text, ("0" * 16,)) for text in FORMULAS]
    found = cells(findings_csv(findings))
    assert not any(map(runs, found))
    assert "'=1+1 line 2" in found


def predictions(num=240):
    rng = np.random.default_rng(0)
    truth = (rng.random(num) < 0.4).astype(int)
    odd = (*FORMULAS, SCRIPT)
    third = np.repeat(["train", "validation", "test"], num // 3)
    return pd.DataFrame(
        {
            "record_id": [f"{odd[i % len(odd)]}{i}" for i in range(num)],
            "source": SCRIPT,
            "group": [f"p{i}" for i in range(num)],
            "split": third,
            "num_pictures": 1,
            "age_years": rng.uniform(20, 95, num).round(1),
            "sex": np.where(rng.random(num) < 0.5, "female", "male"),
            "site": np.where(rng.random(num) < 0.5, "=HYPERLINK(1)", SCRIPT),
            "part": third,
            f"truth.death.{SCRIPT}": truth,
            f"MAE.death.{SCRIPT}": 1 / (1 + np.exp(1 - 2 * truth - rng.normal(size=num))),
        }
    )


def test_a_report_of_hostile_words_runs_nothing(watched):
    (watched / "predictions.csv").write_bytes(csv_bytes(predictions()))
    config = get_config("demo")
    config.label = "death"
    config.models = (f"MAE={watched / 'predictions.csv'}",)
    config.bootstrap.resamples = 20
    config.decision.steps = 5
    report.run(config, watched / "out")
    tables = list((watched / "out").rglob("*.csv"))
    assert len(tables) > 5
    for path in tables:
        assert [cell for cell in cells(path.read_bytes()) if runs(cell)] == [], path
    page = (watched / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
