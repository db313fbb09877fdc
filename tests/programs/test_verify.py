"""The verify program, run as a user runs it."""

import csv
import json
import stat

import numpy as np
import processes
import pytest
from PIL import Image

TABLE = """\
path,patient_id,sex,outcome
Meier_Otto_1.png,11,F,0
Meier_Otto_2.png,11,F,1
3.png,12,M,0
4.png,12,M,1
"""


def _scan(path, seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16), np.uint8)
    Image.fromarray(pixels).resize((320, 240)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two patients with two scans each; nothing in it has to be mended."""
    key = tmp_path / "cohort.key"
    key.write_text("0123456789abcdef" * 3)
    key.chmod(0o600)
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "cohort.toml").write_text('key_file = "../cohort.key"\n')
    (folder / "table.csv").write_text(TABLE)
    for number, line in enumerate(TABLE.splitlines()[1:]):
        _scan(folder / line.split(",")[0], number)
    return folder


@pytest.fixture
def verify(folder, zygote, tmp_path):
    def verify(*settings, where=folder):
        settings = (f"folder={where}", *settings)
        return zygote.run(processes.arguments("verify.py", tmp_path / "out", *settings))

    return verify


def _findings(tmp_path):
    with (tmp_path / "out" / "findings.csv").open(newline="") as file:
        return [(row["severity"], row["code"], row["place"]) for row in csv.DictReader(file)]


def test_warnings_alone_end_well_and_name_nobody(verify, tmp_path):
    done = verify("workers=1")
    assert done.returncode == 0, done.stderr
    at = "table.csv line {}".format
    assert _findings(tmp_path) == [("warning", "name", at(2)), ("warning", "name", at(3))]
    assert done.stdout.startswith("custom: 4 scans of 2 patients\n")
    assert "warning  name                      2  it is stored as a pseudonym alone" in done.stdout
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["errors"], metrics["findings"]) == (0, {"name": 2})
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) >= 4
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"Meier" not in path.read_bytes()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert "Meier" not in done.stdout + done.stderr


def test_planted_faults_are_errors_and_the_exit_code_says_so(verify, folder, tmp_path):
    (folder / "4.png").write_bytes((folder / "3.png").read_bytes())
    (folder / "Meier_Otto_2.png").write_bytes(b"nothing")
    done = verify()
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        f"2 findings have to be mended before a build: see {tmp_path / 'out' / 'findings.csv'}"
    )
    assert [(severity, code) for severity, code, _ in _findings(tmp_path)] == [
        ("error", "unreadable"),
        ("error", "mislabelled"),
        ("warning", "name"),
        ("warning", "name"),
    ]


def test_a_cohort_that_cannot_be_read_is_one_line(verify, folder, tmp_path):
    (folder / "cohort.toml").write_text("")
    done = verify()
    assert done.returncode == 2
    assert done.stderr.strip().startswith(f"error: {folder} names no key: patients and files are")
    done = verify(where="/nowhere")
    assert "error: config.folder is '/nowhere', which is no folder" in done.stderr
    assert not (tmp_path / "out").exists()
