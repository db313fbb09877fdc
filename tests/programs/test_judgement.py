import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Labels
from ecgmae_jax.programs.judgement import judge

SETTINGS = {"resamples": 20, "confidence": 0.95}


def judge_pictures(*, validation=(), num_patients=40, device=None, shift=0):
    """Two pictures a patient; the first half of the patients is the split `validation`."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(num_patients), 2)
    frame = pd.DataFrame(
        {
            "record_id": [f"r{i}" for i in patients],
            "patient_id": [f"p{i}" for i in patients],
            "source": "made-up",
            "segment": np.tile([0, 1], num_patients),
            "start_s": 0.0,
            "group": [f"g{i}" for i in patients],
            "split": np.where(patients < num_patients // 2 + shift, "validation", "test"),
            "age_years": 50.0,
            "sex": "female",
            "diagnoses": [[]] * len(patients),
        }
    )
    if device:
        frame["device"] = device
    truth = (np.arange(num_patients) % 2).astype(np.float32)
    truth[-1] = np.nan
    labels = Labels(("yes",), False, False, truth[patients][:, None])
    matrix = rng.random((len(patients), 1)).astype(np.float32)
    return judge(
        frame,
        labels,
        matrix,
        rule="mean",
        probabilities=np.asarray,
        task="t",
        model="m",
        settings=SETTINGS,
        seed=0,
        validation=validation,
    )


def test_validation_records_are_predicted_and_in_no_figure():
    table, metrics = judge_pictures(validation=("validation",))
    assert table["part"].value_counts().to_dict() == {"validation": 20, "test": 20}
    assert table.loc[table["part"] == "validation", "m.t.yes"].notna().all()
    test = table[(table["part"] == "test") & table["truth.t.yes"].notna()]
    assert metrics["cohort"]["records"] == len(test) == 19
    assert metrics["without_label"] == 1
    area = roc_auc_score(test["truth.t.yes"].astype(int), test["m.t.yes"])
    found = metrics["rows"]["m"]["macro"]["all"]["auroc"]["value"]
    assert found == pytest.approx(area, rel=1e-12)


def test_without_validation_splits_every_record_is_a_test_record():
    table, metrics = judge_pictures(device="A")
    assert set(table["part"]) == {"test"}
    assert metrics["cohort"]["records"] == 39
    assert set(table["device"]) == {"A"}


def test_a_test_part_of_one_class_is_refused():
    with pytest.raises(InputError, match=r"of 0 test records none or all"):
        judge_pictures(validation=("validation",), shift=19)
