import numpy as np
import pandas as pd
import pytest

from ecgmae_jax.evaluation.embeddings import Embeddings, Labels


@pytest.fixture
def make_embeddings():
    """Builds small embeddings: two records per patient, two pictures per record, two tasks."""

    def make(*, num_patients, seed=0, width=4, empty_is_missing=True, signal=1.0):
        rng = np.random.default_rng(seed)
        patients = np.repeat(np.arange(num_patients), 4)
        records = np.repeat(np.arange(2 * num_patients), 2)
        frame = pd.DataFrame(
            {
                "record_id": [f"r{i:03d}" for i in records],
                "patient_id": [f"p{i:03d}" for i in patients],
                "source": "made-up",
                "segment": np.tile([0, 1], 2 * num_patients),
                "start_s": np.tile([0.0, 10.0], 2 * num_patients),
                "group": [f"{i:016x}" for i in patients],
                "split": np.where(patients % 3 == 2, "test", "train"),
                "age_years": 40.0 + patients,
                "sex": np.where(patients % 2, "female", "male"),
                "diagnoses": [["426783006"]] * len(records),
            }
        )
        rhythm = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 2 * num_patients)]
        findings = (rng.random((2 * num_patients, 2)) < 0.5).astype(np.float32)
        findings[~findings.any(axis=1)] = np.nan if empty_is_missing else 0.0
        labels = {
            "rhythm": Labels(("AF", "SR", "ST"), True, False, rhythm[records]),
            "findings": Labels(("LVH", "RBBB"), False, empty_is_missing, findings[records]),
        }
        matrix = rng.normal(size=(len(records), width)).astype(np.float32)
        matrix[:, :3] += signal * rhythm[records]
        lvef = np.where(np.arange(2 * num_patients) % 5 == 1, np.nan, 30.0 + patients[::2])
        return Embeddings(
            frame=frame,
            labels=labels,
            matrix=matrix,
            metadata={"encoder": "tiny", "pooling": "mean", "checkpoint": "abc123"},
            numbers={"lvef": lvef[records]},
        )

    return make
