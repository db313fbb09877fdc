import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import read_embeddings, write_embeddings


def test_what_is_written_is_what_is_read(tmp_path, make_embeddings):
    written = make_embeddings(num_patients=6)
    write_embeddings(tmp_path / "new" / "e.parquet", written)
    found = read_embeddings(tmp_path / "new" / "e.parquet")
    np.testing.assert_array_equal(found.matrix, written.matrix)
    assert found.metadata == written.metadata
    assert found.frame.to_dict("list") == written.frame.to_dict("list")
    np.testing.assert_array_equal(found.numbers["lvef"], written.numbers["lvef"])
    assert np.isnan(found.numbers["lvef"]).any()
    for task, labels in written.labels.items():
        np.testing.assert_array_equal(found.labels[task].values, labels.values)
        assert found.labels[task].classes == labels.classes
        assert found.labels[task].exclusive == labels.exclusive
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["e.parquet"]


def test_facts_that_only_some_datasets_have_come_back(tmp_path, make_embeddings):
    written = make_embeddings(num_patients=6)
    frame = written.frame.assign(site=["A", None] * (len(written) // 2), device="cart 3")
    write_embeddings(tmp_path / "e.parquet", dataclasses.replace(written, frame=frame))
    found = read_embeddings(tmp_path / "e.parquet").frame
    assert found["device"].tolist() == ["cart 3"] * len(frame)
    assert found["site"].iloc[::2].tolist() == ["A"] * (len(frame) // 2)
    assert found["site"].iloc[1::2].isna().all()
    assert "layout" not in found


def test_other_programs_see_names_and_fixed_size_lists(tmp_path, make_embeddings):
    embeddings = make_embeddings(num_patients=6)
    write_embeddings(tmp_path / "e.parquet", embeddings)
    table = pq.read_table(tmp_path / "e.parquet")
    assert table.schema.field("embedding").type == pa.list_(pa.float32(), 4)
    assert table.schema.field("label.rhythm").type == pa.string()
    assert table.schema.field("label.findings").type == pa.list_(pa.string())
    assert table.schema.field("number.lvef").type == pa.float64()
    assert table.column("number.lvef").null_count == np.isnan(embeddings.numbers["lvef"]).sum() > 0
    findings = embeddings.labels["findings"]
    expected = [
        None
        if np.isnan(row).any()
        else [c for c, v in zip(findings.classes, row, strict=True) if v]
        for row in findings.values
    ]
    assert table.column("label.findings").to_pylist() == expected
    assert json.loads(table.schema.metadata[b"ecgmae"])["label_sets"]["rhythm"]["exclusive"] is True


def test_an_empty_list_is_unknown_only_where_the_task_says_so(tmp_path, make_embeddings):
    for empty_is_missing in (False, True):
        embeddings = make_embeddings(num_patients=6, empty_is_missing=empty_is_missing)
        values = embeddings.labels["findings"].values
        values[:] = 1.0
        values[0] = 0.0
        write_embeddings(tmp_path / "e.parquet", embeddings)
        found = read_embeddings(tmp_path / "e.parquet").labels["findings"].values
        assert np.isnan(found[0]).all() == empty_is_missing
        assert not np.isnan(found[1:]).any()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path, make_embeddings, monkeypatch
):
    path = tmp_path / "e.parquet"
    write_embeddings(path, make_embeddings(num_patients=6))
    before = path.read_bytes()

    def full_disk(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(pq, "write_table", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_embeddings(path, make_embeddings(num_patients=9))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_are_not_embeddings_are_refused(tmp_path, make_embeddings):
    with pytest.raises(InputError, match=r"absent\.parquet: no such file"):
        read_embeddings(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("not a table")
    with pytest.raises(InputError, match=r"text\.parquet: not a readable Parquet file"):
        read_embeddings(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="not one of the embed program"):
        read_embeddings(tmp_path / "other.parquet")
    write_embeddings(tmp_path / "e.parquet", make_embeddings(num_patients=6))
    table = pq.read_table(tmp_path / "e.parquet").drop_columns(["group"])
    pq.write_table(table, tmp_path / "less.parquet")
    with pytest.raises(InputError, match=r"columns \['group'\] are missing"):
        read_embeddings(tmp_path / "less.parquet")


def test_embeddings_that_are_not_finite_are_refused_by_record(tmp_path, make_embeddings):
    embeddings = make_embeddings(num_patients=6)
    embeddings.matrix[3, 1] = np.nan
    write_embeddings(tmp_path / "e.parquet", embeddings)
    record = embeddings.frame["record_id"][3]
    with pytest.raises(InputError, match=f"1 of {len(embeddings)} .* record '{record}'"):
        read_embeddings(tmp_path / "e.parquet")
