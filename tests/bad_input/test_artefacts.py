"""Files of earlier runs that are others than they should be: probes, embeddings, checkpoints."""

import io
import json
import os
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import COLUMNS, read_embeddings
from ecgmae_jax.evaluation.readouts.probe_files import load_probe
from ecgmae_jax.programs import classifiers, encoders
from ecgmae_jax.training.checkpoints import Checkpoint

ARRAYS = {
    "classes": np.array(["a", "b"]),
    "exclusive": np.array(True),
    "metadata": np.array("{}"),
    "mean": np.zeros(3),
    "scale": np.ones(3),
    "coefficients": np.zeros((2, 3)),
    "intercept": np.zeros(2),
    "chosen_c": np.ones(2),
}


class Trap:
    """Unpickled, it leaves a folder behind."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def archive(**changes):
    file = io.BytesIO()
    np.savez(file, **{**ARRAYS, **changes})
    return file.getvalue()


def boundless():
    """An archive whose array states a size that no memory holds."""
    file = io.BytesIO(archive())
    with zipfile.ZipFile(file, "a") as members:
        start = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**14,)}
        np.lib.format.write_array_header_1_0(start, header)
        members.writestr("mean.npy", start.getvalue())
    return file.getvalue()


PROBES = {
    "text": b"no probe",
    "empty": b"",
    "cut": archive()[:-30],
    "an array missing": archive(mean=np.array("x"))[:400],
    "metadata that are no JSON": archive(metadata=np.array("{")),
    "a class too many": archive(classes=np.array(["a", "b", "c"])),
    "a feature too few": archive(mean=np.zeros(2)),
    "a number for a matrix": archive(coefficients=np.array(1.0)),
    "a single array": io.BytesIO(),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", [*PROBES, "an array without bounds"])
def test_what_is_no_probe_is_refused(watched, case):
    content = PROBES.get(case)
    if case == "a single array":
        np.save(content, np.zeros(3))
        content = content.getvalue()
    path = watched / "probe.npz"
    path.write_bytes(boundless() if content is None else content)
    with pytest.raises(InputError, match=r"probe\.npz: not a probe file"):
        load_probe(path)


def test_a_pickle_in_a_probe_is_never_run(watched):
    path = watched / "probe.npz"
    path.write_bytes(archive(classes=np.array([Trap(watched / "trapped")], dtype=object)))
    with pytest.raises(InputError, match="not a probe file"):
        load_probe(path)
    assert not (watched / "trapped").exists()


def embeddings(path, *, metadata=None, **changes):
    row = {"record_id": "r", "patient_id": "p", "source": "s", "segment": 0, "start_s": 0.0}
    row |= {"group": "0" * 16, "split": "train", "age_years": 50.0, "sex": "male", "diagnoses": []}
    columns = {name: pa.array([row.get(name)], kind) for name, kind in COLUMNS.items()}
    columns["embedding"] = pa.array([[0.0, 1.0]], pa.list_(pa.float32(), 2))
    columns |= changes
    facts = json.dumps({"label_sets": {}}) if metadata is None else metadata
    table = pa.table(columns).replace_schema_metadata({b"ecgmae": facts.encode()})
    pq.write_table(table, path)
    return path


EMBEDDINGS = {
    "metadata that are no JSON": {"metadata": "{"},
    "metadata without label sets": {"metadata": "{}"},
    "metadata of another kind": {"metadata": "[]"},
    "a label without its classes": {"metadata": '{"label_sets": {"death": {}}}'},
    "a label that is none": {"metadata": '{"label_sets": {"death": []}}'},
    "ages that are words": {"age_years": pa.array(["old"])},
    "patients that are numbers": {"group": pa.array([7])},
    "diagnoses that are one": {"diagnoses": pa.array(["AF"])},
    "embeddings of different lengths": {"embedding": pa.array([[0.0, 1.0]])},
    "texts for embeddings": {"embedding": pa.array(["x"])},
    "a missing embedding": {"embedding": pa.array([None], pa.list_(pa.float32(), 2))},
    "embeddings that are no numbers": {
        "embedding": pa.array([[0.0, float("nan")]], pa.list_(pa.float32(), 2))
    },
}


def test_sound_embeddings_are_read(watched):
    assert read_embeddings(embeddings(watched / "e.parquet")).matrix.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("case", EMBEDDINGS)
def test_embeddings_of_another_form_are_refused(watched, case):
    path = embeddings(watched / "e.parquet", **EMBEDDINGS[case])
    with pytest.raises(InputError, match=r"e\.parquet: ") as caught:
        read_embeddings(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("meta", [{}, {"config": {"program": "other"}, "input": {}}])
@pytest.mark.parametrize(
    ("room", "load", "made_by"),
    [
        (encoders, encoders.load_pretrained, "pretrain"),
        (classifiers, classifiers.load_finetuned, "finetune"),
    ],
    ids=["a masked autoencoder", "a classifier"],
)
def test_a_checkpoint_of_another_program_is_refused(
    watched, monkeypatch, room, load, made_by, meta
):
    found = Checkpoint(params={}, meta=meta, step=1, fingerprint="0")
    monkeypatch.setattr(room, "load_params", lambda folder, *, which: found)
    with pytest.raises(InputError, match=rf"not a run of configs/{made_by}\.py") as caught:
        load(watched, which="last")
    assert str(watched) in str(caught.value)
