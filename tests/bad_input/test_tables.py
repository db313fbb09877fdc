"""Tables and lists as people save them: every cell as written, or one line on what is wrong."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecgmae_jax.cohorts.description import Description, read_description
from ecgmae_jax.cohorts.listings import read_listing
from ecgmae_jax.cohorts.tables import read_table
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.tally import Tally

CELLS = {
    "leading zeros": "007",
    "a number for spreadsheets": "1e5",
    "not available": "NA",
    "none": "None",
    "twenty digits": "12345678901234567890",
    "a formula": "=1+1",
    "a date": "03-04",
    "truth": "TRUE",
    "beyond ASCII": "Ærø 心",
    "a comma": "a,b",
    "a line break": "a\nb",
    "quotes": 'say "a"',
    "infinity": "inf",
    "nothing": "",
}


def comma_separated(rows, *, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def table(watched, content, name="table.csv"):
    path = watched / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("case", CELLS)
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_cell_stays_as_it_was_written(watched, case, start, delimiter):
    text = comma_separated([("path", "value"), ("a.png", CELLS[case])], delimiter=delimiter)
    path = table(watched, (start + text).encode())
    assert read_table(path).rows == [{"path": "a.png", "value": CELLS[case]}]


UNREADABLE = {
    "empty": (b"", "has no rows"),
    "a header alone": (b"path,age\n", "has no rows"),
    "blank lines": (b"\n\n,\n", "has no rows"),
    "two columns of one name": (b"id,id\n1,2\n", "two columns named 'id'"),
    "a column without a name": (b"id,,age\n1,2,3\n", "a column without a name"),
    "a cell too many": (b"path,age\na.png,1,2\n", "line 2 has 3 cells where the header has 2"),
    "a cell too few": (b"path,age\na.png,1\nb.png\n", "line 3 has 1 cells where the header has 2"),
    "a quote that never ends": (b'path\n"a.png\nb.png\n', "not a table of separated cells"),
    "text after a quote": (b'path\n"a".png\n', "not a table of separated cells"),
    "NUL": (b"path\na\x00.png\n", "NUL"),
    "Latin-1": ("path\na.png\nMünch\n".encode("latin-1"), "line 3 is not UTF-8"),
    "GBK": ("path\n心电图\n".encode("gbk"), "line 2 is not UTF-8"),
    "UTF-16": ("path\na.png\n".encode("utf-16"), "line 1 is not UTF-8"),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00!\x00\xfe\x84", "is not UTF-8"),
    "a cell of 200,000 characters": (b"path\n" + b"a" * 200_000 + b"\n", "field larger than"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_table_that_cannot_be_read_is_named_with_the_reason(watched, case):
    content, words = UNREADABLE[case]
    with pytest.raises(InputError, match=words) as caught:
        read_table(table(watched, content))
    assert "table.csv" in str(caught.value)
    assert str(caught.value).isprintable()


def parquet(columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_parquet_keeps_text_and_writes_numbers_as_people_do(watched):
    columns = {"path": ["a.png"], "id": ["007"], "grade": [2.0], "age": [None], "n": [2**63 - 1]}
    path = table(watched, parquet(columns), "table.parquet")
    assert read_table(path).rows == [
        {"path": "a.png", "id": "007", "grade": "2", "age": "", "n": str(2**63 - 1)}
    ]


@pytest.mark.parametrize("case", ["text", "cut"])
def test_what_is_no_parquet_file_is_refused(watched, case):
    content = b"path,age\n" if case == "text" else parquet({"path": ["a"] * 99})[:-40]
    path = table(watched, content, "table.parquet")
    with pytest.raises(InputError, match=r"table\.parquet is not a Parquet file"):
        read_table(path)


def test_a_parquet_file_of_thirty_million_equal_rows_takes_no_memory(watched, bounded):
    path = watched / "table.parquet"
    with pq.ParquetWriter(path, pa.schema([("path", pa.string())]), compression="zstd") as writer:
        group = pa.table({"path": pa.array(["a.png"]).take(pa.array([0] * 2**22))})
        for _ in range(8):
            writer.write_table(group)
    assert path.stat().st_size < 2**20
    imports = "import pathlib; from ecgmae_jax.cohorts.tables import read_table"
    outcome = bounded(imports, f"len(read_table(pathlib.Path({str(path)!r})).rows)", gib=4)
    assert outcome.code == "InputError"
    assert "rows" in outcome.detail


LISTED = {
    "an unknown label": (
        {
            "table.csv": "path,outcome\na.png,maybe\n",
            "cohort.toml": "outcomes.outcome.classes = ['yes', 'no']",
        },
        "'maybe' for outcome 'outcome', whose classes are yes, no",
    ),
    "a column under another name": (
        {"table.csv": "Path,outcome\na.png,1\n"},
        r"no column 'path' .*did you mean 'Path'",
    ),
    "a misspelt key": (
        {"table.csv": "path\na.png\n", "cohort.toml": "sorce = 'x'"},
        "unknown key sorce, did you mean 'source'",
    ),
    "a key of another kind": (
        {"table.csv": "path\na.png\n", "cohort.toml": "source = 3"},
        "source is 3, expected a text",
    ),
    "a description that is no TOML": (
        {"table.csv": "path\na.png\n", "cohort.toml": "source = = 3"},
        r"cohort\.toml cannot be parsed",
    ),
    "a description nested without end": (
        {"table.csv": "path\na.png\n", "cohort.json": "[" * 100_000},
        r"cohort\.json cannot be parsed",
    ),
    "a table in another folder": (
        {"table.csv": "path\na.png\n", "cohort.toml": "file = '../table.csv'"},
        "leads out of",
    ),
    "nothing at all": ({}, "no pictures"),
}


@pytest.mark.parametrize("case", LISTED)
def test_a_faulty_listing_is_one_line(watched, case):
    files, words = LISTED[case]
    for name, content in files.items():
        (watched / name).write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        read_listing(watched, read_description(watched, Description()))
    assert str(caught.value).isprintable()


def test_what_a_spreadsheet_would_run_is_written_as_text(watched):
    tally = Tally()
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "plain"):
        tally.add_rejected(RejectedRecord(name, "no-file", "there is no file\nof that name"))
    tally.write_csv(watched / "rejections.csv")
    with (watched / "rejections.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert ["plain", "no-file", "there is no file of that name"] in rows
