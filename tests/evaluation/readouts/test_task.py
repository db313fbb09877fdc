import dataclasses

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.readouts.task import ProbeSettings, probe_task

SETTINGS = ProbeSettings(grid=(1e-2, 1.0), num_folds=3, num_resamples=30, confidence=0.95, seed=0)


@pytest.fixture
def task(make_embeddings):
    """Records of 30 patients with two findings, and the parts they belong to."""
    records = aggregate_records(make_embeddings(num_patients=30), rule="mean")
    return records, part_rows(records.frame, {"train": ("train",), "test": ("test",)})


def _with_findings(records, values):
    findings = dataclasses.replace(records.labels["findings"], values=values)
    return dataclasses.replace(records, labels={**records.labels, "findings": findings})


def test_records_without_a_label_are_dropped_and_counted(task):
    records, parts = task
    missing = np.isnan(records.labels["findings"].values).any(axis=1)
    result = probe_task({"a": records}, parts, task="findings", settings=SETTINGS)
    for part in ("train", "test"):
        assert result.metrics["without_label"][part] == (missing & parts[part]).sum() > 0
        assert result.metrics["cohort"][part]["records"] == (~missing & parts[part]).sum()
    assert not missing[result.test_rows].any()


def test_a_finding_that_training_lacks_is_left_out_and_named(task):
    records, parts = task
    values = np.nan_to_num(records.labels["findings"].values)
    values[parts["train"], 0] = 0.0
    result = probe_task(
        {"a": _with_findings(records, values)}, parts, task="findings", settings=SETTINGS
    )
    assert result.metrics["left_out"] == ["LVH"]
    assert result.classes == ("RBBB",)
    assert result.probabilities["a"].shape == (parts["test"].sum(), 1)


def test_the_test_part_has_no_say_in_the_fit(task):
    records, parts = task
    other = dataclasses.replace(records, matrix=records.matrix.copy())
    other.matrix[parts["test"]] *= 100.0
    probes = probe_task({"a": records, "b": other}, parts, task="rhythm", settings=SETTINGS).probes
    np.testing.assert_array_equal(probes["a"].coefficients, probes["b"].coefficients)
    np.testing.assert_array_equal(probes["a"].mean, probes["b"].mean)


def test_a_test_part_of_one_class_is_refused(task):
    records, parts = task
    values = np.nan_to_num(records.labels["findings"].values)
    values[parts["test"]] = 0.0
    with pytest.raises(InputError, match=r"of 20 test records with a label none or all have each"):
        probe_task(
            {"a": _with_findings(records, values)}, parts, task="findings", settings=SETTINGS
        )


def test_training_without_any_label_is_refused(task):
    records, parts = task
    values = records.labels["findings"].values.copy()
    values[parts["train"]] = np.nan
    with pytest.raises(InputError, match=r"label 'findings': no training record has one"):
        probe_task(
            {"a": _with_findings(records, values)}, parts, task="findings", settings=SETTINGS
        )
