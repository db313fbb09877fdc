import ast
import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from data_builders.account import Account
from data_builders.ptb_xl.records import entries_by_split
from data_builders.ptb_xl.statements import (
    STATEMENTS,
    label_classes,
    labels_of_statements,
    read_statements,
)
from ecgmae_jax.errors import InputError


def test_tasks_have_the_sizes_of_the_benchmark():
    sizes = {task: len(classes) for task, classes in label_classes().items()}
    assert sizes == {
        "superclass": 5,
        "subclass": 23,
        "diagnostic": 44,
        "form": 19,
        "rhythm": 12,
        "statements": 71,
    }
    assert label_classes()["superclass"] == ["CD", "HYP", "MI", "NORM", "STTC"]


def test_a_statement_counts_in_every_task_it_belongs_to():
    # NDT is both diagnostic (subclass and superclass STTC) and of form; AFIB is a rhythm.
    assert labels_of_statements(["NDT", "AFIB"]) == {
        "superclass": ["STTC"],
        "subclass": ["STTC"],
        "diagnostic": ["NDT"],
        "form": ["NDT"],
        "rhythm": ["AFIB"],
        "statements": ["AFIB", "NDT"],
    }


def test_entries_follow_folds_and_prefer_500_hz(ptb_xl_folder):
    account = Account()
    splits = entries_by_split(ptb_xl_folder, account)
    names = {split: [entry.header.stem for entry in some] for split, some in splits.items()}
    assert names == {
        "train": ["00001_hr", "00002_lr", "00003_lr", "00005_lr"],
        "validation": ["00004_lr"],
        "test": [],
    }
    rejections = {(record, code) for record, code, _ in account.total().rejections}
    assert rejections == {("00006", "no-file"), ("7", "bad-row")}


def test_the_table_gives_patient_age_sex_and_labels(ptb_xl_folder):
    train = entries_by_split(ptb_xl_folder, Account())["train"]
    one, two, three, _ = train
    assert [entry.patient_id for entry in train] == ["11", "12", "12", "14"]
    assert [entry.features["sex"] for entry in train] == ["female", "male", "male", "male"]
    assert one.features["age_years"] == 56.0
    assert two.features["age_years"] == 90.0  # 300 stands for over 89
    assert np.isnan(three.features["age_years"])
    # A likelihood of 0 counts.
    assert two.features["labels"]["superclass"] == ["HYP", "MI"]
    assert three.features["labels"]["superclass"] == []
    assert three.features["labels"]["rhythm"] == ["AFIB"]


def test_a_record_listed_twice_is_refused(ptb_xl_folder, tmp_path):
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "copy")
    database = folder / "ptbxl_database.csv"
    database.write_text(database.read_text() + database.read_text().splitlines()[1] + "\n")
    account = Account()
    assert len(entries_by_split(folder, account)["train"]) == 4
    assert account.total().refused()["duplicate-record"] == 1


def test_another_folder_is_named_with_what_it_holds(challenge_folder):
    with pytest.raises(InputError, match=r"has no ptbxl_database\.csv \(it has training\)"):
        entries_by_split(challenge_folder, Account())


def test_another_table_is_refused(ptb_xl_folder, tmp_path):
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "copy")
    database = folder / "ptbxl_database.csv"
    database.write_text(database.read_text().replace("strat_fold", "fold"))
    with pytest.raises(InputError, match="no column strat_fold"):
        entries_by_split(folder, Account())


def test_statements_of_another_format_are_refused(tmp_path):
    path = tmp_path / "scp_statements.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"scp_statements\.csv is not the table of statements"):
        read_statements(path)


def test_packaged_statements_agree_with_the_official_table(real_data):
    path = real_data / "ptb-xl/scp_statements.csv"
    assert read_statements(path) == STATEMENTS
    table = pd.read_csv(path, index_col=0)
    diagnostic = table[table.diagnostic == 1]
    classes = label_classes()
    assert classes["subclass"] == sorted(diagnostic.diagnostic_subclass.unique())
    assert classes["form"] == sorted(table.index[table.form == 1])
    assert classes["rhythm"] == sorted(table.index[table.rhythm == 1])


def test_real_records_are_found(real_data):
    folder = real_data / "ptb-xl"
    account = Account()
    splits = entries_by_split(folder, account)
    sizes = {split: len(entries) for split, entries in splits.items()}
    assert sizes == {"train": 2349, "validation": 336, "test": 0}
    assert account.total().rejections == []
    with (folder / "has_500hz.csv").open() as file:
        expected = {f"{int(row['ecg_id']):05d}_hr" for row in csv.DictReader(file)}
    stems = {entry.header.stem for entries in splits.values() for entry in entries}
    assert {stem for stem in stems if stem.endswith("_hr")} == expected


def test_real_labels_agree_with_the_benchmark_s_way_of_making_them(real_data):
    folder = real_data / "ptb-xl"
    table = pd.read_csv(folder / "scp_statements.csv", index_col=0)
    diagnostic = table[table.diagnostic == 1]
    database = pd.read_csv(folder / "ptbxl_database.csv", index_col="ecg_id")
    splits = entries_by_split(folder, Account())
    for entry in [*splits["train"], *splits["validation"]]:
        codes = ast.literal_eval(database.scp_codes[int(entry.record_id)])
        expected = {diagnostic.diagnostic_class[code] for code in codes if code in diagnostic.index}
        assert set(entry.features["labels"]["superclass"]) == expected


def _edited(ptb_xl_folder, tmp_path, number, **cells):
    """A copy of the folder in which cells of one row are others."""
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "copy")
    with (folder / "ptbxl_database.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[number] |= cells
    with (folder / "ptbxl_database.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.parametrize(
    "cells",
    [
        {"patient_id": "nan"},
        {"patient_id": "1e400"},
        {"patient_id": "12345678901234567"},
        {"patient_id": ""},
        {"patient_id": "11.5"},
        {"ecg_id": "-1"},
        {"ecg_id": "\u0663"},
        {"strat_fold": "11"},
        {"scp_codes": ""},
        {"scp_codes": "NORM"},
        {"scp_codes": "[['NORM']]"},
        {"scp_codes": "{1: 2}"},
        {"scp_codes": "{'NORM': }"},
        {"scp_codes": "[" * 5_000},
        {"scp_codes": "-" * 9_000 + "1"},
        {"scp_codes": "{'NORM': 100.0}" + " " * 10_000},
        {"scp_codes": "__import__('os').mkdir('x')"},
    ],
    ids=str,
)
def test_a_row_that_is_none_is_refused_and_the_others_are_kept(ptb_xl_folder, tmp_path, cells):
    account = Account()
    folder = _edited(ptb_xl_folder, tmp_path, 0, **cells)
    splits = entries_by_split(folder, account)
    assert len(splits["train"]) == 3
    assert account.total().refused() == {"bad-row": 2, "no-file": 1}
    assert all(detail.isprintable() for _, _, detail in account.total().rejections)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "x" * 5_000, "s3://b/x", "a\x01b", ""])
def test_a_file_name_that_is_none_is_refused(ptb_xl_folder, tmp_path, name):
    account = Account()
    folder = _edited(ptb_xl_folder, tmp_path, 0, filename_hr=name, filename_lr=name)
    entries_by_split(folder, account)
    found = {(record, code) for record, code, _ in account.total().rejections}
    assert ("00001", "no-file") in found


def test_a_patient_in_two_splits_stops_the_build(ptb_xl_folder, tmp_path):
    folder = _edited(ptb_xl_folder, tmp_path, 3, patient_id="12.0")
    with pytest.raises(InputError, match=r"record 00002 in train and record 00004 in validation"):
        entries_by_split(folder, Account())


@pytest.mark.parametrize("cells", [",", ""], ids=["too many", "too few"])
def test_a_row_of_another_length_is_named(ptb_xl_folder, tmp_path, cells):
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "copy")
    database = folder / "ptbxl_database.csv"
    lines = database.read_text().splitlines()
    lines[2] = lines[2] + "," if cells else lines[2].rpartition(",")[0]
    database.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"row 2 has more or fewer cells than the header"):
        entries_by_split(folder, Account())
