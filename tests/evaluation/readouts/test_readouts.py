import dataclasses

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.readouts.further_readouts import read_with, readout_rows
from ecgmae_jax.evaluation.readouts.nearest_neighbours import neighbour_probabilities
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, probe_task
from ecgmae_jax.evaluation.statistics.discrimination import auroc

SETTINGS = ProbeSettings(grid=(1e-2, 1.0), num_folds=3, num_resamples=30, confidence=0.95, seed=0)
NEIGHBOURS = {"neighbours": 9, "temperature": 0.1}


@pytest.fixture
def task(make_embeddings):
    records = aggregate_records(make_embeddings(num_patients=45, signal=2.0), rule="mean")
    parts = part_rows(records.frame, {"train": ("train",), "test": ("test",)})
    result = probe_task({"MAE": records}, parts, task="findings", settings=SETTINGS)
    return records, parts, result


def test_rows_are_judged_on_the_records_of_the_logistic_probe(task):
    records, parts, result = task
    tokens = dataclasses.replace(
        records,
        matrix=np.tile(records.matrix, (1, 4)),
        metadata={**records.metadata, "pooling": "regional-2x2"},
    )
    (neighbours, attentive) = readout_rows(
        {"MAE": records, "tokens": tokens},
        parts,
        task="findings",
        result=result,
        readouts={
            "neighbours": {"rows": ("MAE",), **NEIGHBOURS},
            "attentive": {
                "rows": ("tokens",),
                "heads": 1,
                "steps": 50,
                "batch_size": 32,
                "peak_rate": 1e-2,
                "weight_decay": 0.1,
            },
        },
        settings=SETTINGS,
    )
    assert (neighbours["row"], neighbours["readout"]) == ("MAE", "neighbours")
    assert (attentive["row"], attentive["readout"]) == ("tokens", "attentive")
    known = ~np.isnan(records.labels["findings"].values).any(axis=1)
    train = np.flatnonzero(parts["train"] & known)
    scores = neighbour_probabilities(
        records.matrix[train],
        records.labels["findings"].values[train],
        records.matrix[result.test_rows],
        **NEIGHBOURS,
    )
    areas = [auroc(result.truth[:, k], scores[:, k]) for k in range(2)]
    macro = neighbours["macro"]["all"]["auroc"]["value"]
    assert macro == pytest.approx(np.mean(areas))
    logistic = result.metrics["rows"]["MAE"]["macro"]["all"]["auroc"]["value"]
    less = neighbours["difference"]
    assert less["to"] == "MAE"
    assert less["all"]["auroc"]["value"] == pytest.approx(macro - logistic)


def test_no_further_readout_gives_no_rows(task):
    records, parts, result = task
    readouts = {"neighbours": {"rows": (), **NEIGHBOURS}}
    found = readout_rows(
        {"MAE": records},
        parts,
        task="findings",
        result=result,
        readouts=readouts,
        settings=SETTINGS,
    )
    assert found == []


def test_an_attentive_probe_of_means_and_unknown_readouts_are_refused(task):
    records = task[0]
    rows = np.arange(20)

    def read(readout, **how):
        read_with(readout, records, rows, rows, task="rhythm", classes=("AF",), seed=0, how=how)

    with pytest.raises(InputError, match=r"'mean'; choose .* regional-"):
        read("attentive")
    with pytest.raises(InputError, match=r"names 'svm'; there are \('neighbours'"):
        read("svm")
