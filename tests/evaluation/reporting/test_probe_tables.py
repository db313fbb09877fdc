import numpy as np
import pytest

from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.readouts.further_readouts import readout_rows
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, probe_task
from ecgmae_jax.evaluation.reporting.probe_tables import figures_table, further_summary

SETTINGS = ProbeSettings(grid=(1e-2,), num_folds=3, num_resamples=20, confidence=0.95, seed=0)
SHARES = [
    {"row": "MAE", "share": 0.01, "draws": 3, "patients": 2, "auroc": 0.6, "least": 0.5,
     "largest": 0.7}
]  # fmt: skip


@pytest.fixture
def metrics(make_embeddings):
    records = aggregate_records(make_embeddings(num_patients=45), rule="mean")
    parts = part_rows(records.frame, {"train": ("train",), "test": ("test",)})
    encoders = {"MAE": records, "random": records}
    result = probe_task(encoders, parts, task="rhythm", settings=SETTINGS)
    readouts = {"neighbours": {"rows": ("MAE",), "neighbours": 5, "temperature": 0.1}}
    further = readout_rows(
        encoders, parts, task="rhythm", result=result, readouts=readouts, settings=SETTINGS
    )
    value = {"value": -0.25, "low": None, "high": None}
    outcome = {
        "type": "continuous",
        "records": {"test": 9},
        "rows": {"MAE": {"r2": value, "chosen_c": 1.0}},
    }
    return {
        "tasks": {"rhythm": result.metrics | {"readouts": further, "few_shot": SHARES}},
        "outcomes": {"age_years": outcome},
    }


def test_the_table_has_every_row_readout_and_label(metrics):
    table = figures_table(metrics["tasks"])
    rows = [("MAE", "logistic"), ("random", "logistic"), ("MAE", "neighbours")]
    assert list(dict.fromkeys(zip(table["row"], table["readout"], strict=True))) == rows
    assert len(table) == 3 * (2 + 3)
    found = metrics["tasks"]["rhythm"]["rows"]["random"]
    own = table[(table["row"] == "random") & (table["label"] == "SR")].iloc[0]
    assert own["auroc"] == found["labels"][1]["auroc"]["value"]
    assert own["positives"] == found["labels"][1]["positives"]
    mean = table[(table["row"] == "random") & (table["min_positives"] == 10)].iloc[0]
    assert mean["auprc_high"] == found["macro"]["common"]["auprc"]["high"]
    assert mean["labels"] == found["macro"]["common"]["labels"]
    assert np.isfinite(table["auroc_low"]).all()


def test_lines_state_both_counts_readouts_draws_and_outcomes(metrics):
    lines = further_summary(metrics).splitlines()
    found = metrics["tasks"]["rhythm"]
    common = found["rows"]["MAE"]["macro"]["common"]["labels"]
    assert lines[0] == (
        f"rhythm: macro AUROC over 3 labels, {common} labels with at least 10 positives"
    )
    value = found["readouts"][0]["macro"]["all"]["auroc"]["value"]
    assert lines[3].startswith(f"  MAE, neighbours  {value:.3f} [")
    assert lines[5] == "  MAE  1 %  2 patients  0.600 [0.500, 0.700]  draws: 3"
    assert lines[6:] == ["age_years (continuous): 9 test records", "  MAE  r2 −0.250"]
