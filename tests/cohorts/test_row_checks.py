import collections
import csv
import io

import pytest

from ecgmae_jax.cohorts.description import Description
from ecgmae_jax.cohorts.findings import CODES, Finding, findings_csv, findings_table, num_errors
from ecgmae_jax.cohorts.row_checks import check_rows
from ecgmae_jax.cohorts.scans import read_cohort

HEADER = "path,patient_id,sex,split,recorded_on,outcome\n"


def _checked(folder, table, *, names, toml=""):
    for name in names:
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).touch()
    folder.write(table_csv=table, cohort_toml=f'key_file = "../cohort.key"\n{toml}')
    return check_rows(read_cohort(folder.path, Description()))


def _found(findings):
    return collections.Counter((finding.code, finding.place) for finding in findings)


def test_a_sound_cohort_has_no_findings(folder):
    table = HEADER + "1.png,11,F,train,2024-03-01,0\n2.png,11,F,train,2024-03-02,1\n"
    assert _checked(folder, table, names=["1.png", "2.png"]) == []


def test_contradictions_are_found_each_with_its_place(folder):
    table = HEADER + (
        "1.png,11,F,train,,0\n"
        "2.png,11,M,test,,1\n"
        "2.png,11,M,test,,0\n"
        "3.png,12,,train,,1\n"
        "3.png,12,,train,,1\n"
        "9.png,13,F,train,,0\n"
        "4.png,,F,train,,0\n"
        "5.png,14,F,holdout,,0\n"
    )
    findings = _checked(folder, table, names=[f"{i}.png" for i in range(1, 6)])
    at = "table.csv line {}".format
    assert _found(findings) == {
        ("contradicting-sex", at(2)): 1,
        ("two-splits", at(3)): 1,
        ("two-splits", at(4)): 1,
        ("contradicting-rows", at(4)): 1,
        ("repeated-row", at(6)): 1,
        ("no-scan", at(7)): 1,
        ("no-scan", at(8)): 1,
        ("bad-split", at(9)): 1,
    }
    (sex,) = [finding for finding in findings if finding.code == "contradicting-sex"]
    assert sex.records == (folder.pseudonym("record", "1.png"), folder.pseudonym("record", "2.png"))
    assert sex.detail == "the patient is female, and in table.csv line 3 male"


@pytest.mark.parametrize(
    ("type_", "cells", "code", "detail"),
    [
        ("binary", ["1", "1", ""], "constant-outcome", "x: fewer than two classes occur"),
        ("continuous", ["2", "2,0", ""], "constant-outcome", "x: every value is the same"),
        ("multi-label", ["a", '"a,b"', ""], "constant-class", "x: 2 of 2 scans are 'a'"),
    ],
)
def test_outcomes_that_teach_nothing(folder, type_, cells, code, detail):
    table = "path,patient_id,x\n" + "".join(f"{i}.png,{i},{c}\n" for i, c in enumerate(cells))
    toml = f'[outcomes.x]\ntype = "{type_}"\n'
    table = table.replace("2,0", '"2,0"')
    findings = _checked(folder, table, names=[f"{i}.png" for i in range(3)], toml=toml)
    assert (code, detail) in [(finding.code, finding.detail) for finding in findings]
    (missing,) = [finding for finding in findings if finding.code == "missing-outcome"]
    assert missing.detail == "1 of 3 scans have no x (table.csv line 4)"


def test_events_that_never_come(folder):
    table = "path,patient_id,t,e\n1.png,1,2.0,0\n2.png,2,3.0,0\n"
    toml = '[outcomes.death]\ntype = "time-to-event"\ncolumn = "t"\nevent = "e"\n'
    findings = _checked(folder, table, names=["1.png", "2.png"], toml=toml)
    assert [finding.detail for finding in findings] == ["death: every event is the same"]


def test_a_planted_name_is_found_and_not_repeated(folder):
    table = HEADER + (
        "Mueller_Hans.png,11,F,train,2024-03-01,0\n"
        "ecg_20240301.png,12,F,train,2024-03-01,1\n"
        "ecg_19540312.png,13,F,train,2024-03-01,1\n"
        "3.png,Hans Mueller,F,train,,1\n"
        "4.png,12.03.1954,F,train,,1\n"
    )
    names = [line.split(",")[0] for line in table.splitlines()[1:]]
    findings = _checked(folder, table, names=names)
    assert [(finding.code, finding.place[-1], finding.detail) for finding in findings] == [
        ("name", "2", "the file name reads like a name"),
        ("date", "4", "the file name has a date in it that is not the recording's"),
        ("name", "5", "the patient id reads like a name"),
        ("date", "6", "the patient id has a date in it that is not the recording's"),
    ]
    assert "Mueller" not in findings_csv(findings).decode() + findings_table(findings)


def test_class_folders_are_no_names(folder):
    (folder.path / "bundle branch").mkdir()
    (folder.path / "bundle branch" / "1.png").touch()
    (folder.path / "sinus").mkdir()
    (folder.path / "sinus" / "2.png").touch()
    (folder.path / "notes.txt").touch()
    findings = check_rows(read_cohort(folder.path, Description()))
    assert [finding.code for finding in findings] == ["no-patients"]


def test_pictures_that_no_row_names_and_cells_that_say_nothing(folder):
    table = HEADER + "1.png,1,woman,train,,0\n2.png,2,F,train,1.3.24,1\n"
    findings = _checked(folder, table, names=["1.png", "2.png", "3.png"])
    assert {finding.code: finding.detail for finding in findings} == {
        "not-understood": "1 rows with sex not understood",
        "not-listed": "pictures of the folder that no row names, not read: 1",
    }


def test_findings_become_a_table_and_rows():
    findings = [Finding("duplicate", f"line {i}", "the same pixels", ("a", "b")) for i in range(5)]
    findings.append(Finding("mislabelled", "line 9", "another x", ("c",)))
    assert num_errors(findings) == 1
    rows = list(csv.DictReader(io.StringIO(findings_csv(findings).decode())))
    assert [row["code"] for row in rows] == ["mislabelled"] + ["duplicate"] * 5
    assert rows[0]["severity"] == "error"
    assert rows[0]["remedy"] == CODES["mislabelled"][1]
    assert rows[1]["records"] == "a b"
    lines = findings_table(findings).splitlines()
    assert lines[1].split()[:3] == ["error", "mislabelled", "1"]
    assert lines[-1].strip() == "and 2 more"
    assert findings_table([]) == "nothing found"
