import dataclasses

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.cohort import part_rows
from ecgmae_jax.evaluation.readouts.numeric_outcomes import probe_outcome
from ecgmae_jax.evaluation.readouts.task import ProbeSettings

SETTINGS = ProbeSettings(grid=(1e-3, 1e-1), num_folds=3, num_resamples=50, confidence=0.9, seed=0)


@pytest.fixture
def cohort(make_embeddings):
    """Two encoders, of which the first knows the outcomes, and the parts."""
    records = aggregate_records(make_embeddings(num_patients=60), rule="mean")
    rng = np.random.default_rng(0)
    signal = rng.normal(size=len(records))
    times = rng.exponential(np.exp(-3 * signal))
    numbers = {
        "lvef": 55 + 8 * signal + rng.normal(size=len(records)),
        "death.time": np.minimum(times, 1.0),
        "death.event": (times <= 1.0).astype(float),
    }
    numbers["lvef"][3] = np.nan
    numbers["death.event"][[5, 6]] = np.nan
    blind = dataclasses.replace(records, numbers=numbers)
    seeing = dataclasses.replace(blind, matrix=blind.matrix.copy())
    seeing.matrix[:, 0] = 4 * signal
    parts = part_rows(records.frame, {"train": ("train",), "test": ("test",)})
    return {"seeing": seeing, "blind": blind}, parts


def test_a_value_is_regressed_and_compared(cohort):
    encoders, parts = cohort
    result = probe_outcome(encoders, parts, name="lvef", settings=SETTINGS)
    found = result.metrics
    assert found["type"] == "continuous"
    assert found["records"] == {"train": 79, "test": 40}
    seeing, blind = found["rows"]["seeing"], found["rows"]["blind"]
    assert seeing["r2"]["value"] > 0.9 > 0.3 > blind["r2"]["value"]
    assert seeing["mae"]["low"] < seeing["mae"]["value"] < seeing["mae"]["high"]
    assert "difference" not in seeing
    less = blind["difference"]
    assert less["to"] == "seeing"
    assert less["r2"]["high"] < 0 < less["mae"]["low"]
    assert less["r2"]["value"] == pytest.approx(blind["r2"]["value"] - seeing["r2"]["value"])
    assert seeing["chosen_c"] in (pytest.approx(1e-3), pytest.approx(1e-1))
    predicted = ~np.isnan(result.predictions["blind"])
    np.testing.assert_array_equal(predicted, parts["test"] & result.truth.known)
    error = result.predictions["blind"] - result.truth.values
    assert blind["bias"]["value"] == pytest.approx(np.nanmean(error))


def test_validation_records_are_predicted_and_change_nothing(cohort):
    encoders, parts = cohort
    third = encoders["blind"].frame["group"].str.endswith("1").to_numpy() & parts["train"]
    smaller = {"train": parts["train"] & ~third, "test": parts["test"]}
    for name in ("lvef", "death"):
        alone = probe_outcome(encoders, smaller, name=name, settings=SETTINGS)
        both = probe_outcome(
            encoders, smaller | {"validation": third}, name=name, settings=SETTINGS
        )
        for row, figures in alone.metrics["rows"].items():
            for measure in ("r2", "c_index"):
                if measure in figures:
                    value = both.metrics["rows"][row][measure]["value"]
                    assert value == pytest.approx(figures[measure]["value"], rel=1e-9)
        known = both.truth.known & (third | parts["test"])
        np.testing.assert_array_equal(~np.isnan(both.predictions["seeing"]), known)


def test_a_time_to_an_event_has_a_c_index(cohort):
    encoders, parts = cohort
    found = probe_outcome(encoders, parts, name="death", settings=SETTINGS).metrics
    assert found["type"] == "time-to-event"
    assert sum(found["records"].values()) == 118
    assert found["rows"]["seeing"]["c_index"]["value"] > 0.75
    assert found["rows"]["blind"]["difference"]["c_index"]["high"] < 0


def test_the_age_is_an_outcome_of_every_dataset(cohort):
    encoders, parts = cohort
    found = probe_outcome({"blind": encoders["blind"]}, parts, name="age_years", settings=SETTINGS)
    assert found.metrics["rows"]["blind"]["r2"]["value"] < 0.3


def test_outcomes_that_are_not_there_are_refused(cohort):
    encoders, parts = cohort
    with pytest.raises(InputError, match=r"names 'bnp'; .* \['death', 'lvef', 'age_years'\]"):
        probe_outcome(encoders, parts, name="bnp", settings=SETTINGS)
    encoders["seeing"].numbers["lvef"][parts["test"]] = np.nan
    with pytest.raises(InputError, match=r"'lvef' is known of 79 training and 0 test records"):
        probe_outcome(encoders, parts, name="lvef", settings=SETTINGS)
