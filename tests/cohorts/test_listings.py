"""From a folder as a clinic has it to checked rows: formats, columns, classes, paths, splits."""

import datetime
import hmac
import json
import math
import os

import pyarrow
import pyarrow.parquet
import pytest

from ecgmae_jax.cohorts.description import Description, read_description
from ecgmae_jax.cohorts.identifiers import group_of
from ecgmae_jax.cohorts.listings import read_listing
from ecgmae_jax.cohorts.named import COHORTS, named_cohort
from ecgmae_jax.cohorts.outcome_summaries import tell
from ecgmae_jax.cohorts.outcomes import Outcome
from ecgmae_jax.cohorts.scans import read_cohort
from ecgmae_jax.cohorts.split_scans import split_scans, unique_scans
from ecgmae_jax.cohorts.tables import read_table
from ecgmae_jax.errors import InputError

TABLE = """\
path,patient_id,outcome,age,sex,recorded_on,split
a.png,007,dead,63.5,F,2024-03-01,train
b.png,007,alive,64,f,2024-05-01T10:30:00,train
c.png,8,,>89,male,01/02/2024,test
"""
KEY = "an example of a key: 0123456789 abcdefgh"


def pseudonym(kind, text):
    return hmac.new(KEY.encode(), f"{kind}\0{text}".encode(), "sha256").hexdigest()[:16]


@pytest.fixture
def cohort(tmp_path):
    """A folder with the given texts, and empty files where the content is None."""
    key = tmp_path / "cohort.key"
    key.write_text(KEY)
    key.chmod(0o600)
    tmp_path = tmp_path / "cohort"
    tmp_path.mkdir()

    def make(**files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content or "", encoding="utf-8")
        return tmp_path

    return make


def _read(folder, default=COHORTS["custom"]):
    description = read_description(folder, default)
    return description, read_listing(folder, description)


def _scans(folder):
    cohort = read_cohort(folder, Description(key_file="../cohort.key"))
    scans, repeated = unique_scans(cohort.scans)
    return split_scans(cohort, scans, None), cohort, repeated


def _codes(cohort):
    return {fault.record: fault.code for fault in cohort.rejections}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_table_with_any_separator(cohort, separator, mark):
    folder = cohort(
        table_csv=mark + TABLE.replace(",", separator), a_png=None, b_png=None, c_png=None
    )
    by_split, cohort, _ = _scans(folder)
    first, second = by_split["train"]
    assert first.record_id == pseudonym("record", "a.png")
    assert first.patient_id == second.patient_id == pseudonym("patient", "007")
    assert first.group == group_of("custom", pseudonym("patient", "007"))
    assert first.features == {
        "age_years": 63.5,
        "sex": "female",
        "recorded_on": "2024-03-01",
        "site": "",
        "device": "",
        "labels": {"outcome": 1},
    }
    assert second.features["recorded_on"] == "2024-05-01"
    (third,) = by_split["test"]
    assert (third.features["age_years"], third.features["labels"]) == (90.0, {"outcome": -1})
    assert cohort.counts == {"with recorded_on not understood": 1}
    assert by_split["validation"] == cohort.notes == []


def test_parquet_cells_become_what_a_person_would_write(tmp_path):
    columns = {
        "path": ["a.png", "b.png"],
        "patient_id": [12345678901234567890, 7],
        "outcome": [1.0, None],
        "male": [True, False],
        "day": [datetime.date(2024, 1, 2), None],
    }
    types = [("patient_id", pyarrow.uint64())]
    table = pyarrow.table({**columns, **{k: pyarrow.array(columns[k], t) for k, t in types}})
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet").rows == [
        {
            "path": "a.png",
            "patient_id": "12345678901234567890",
            "outcome": "1",
            "male": "True",
            "day": "2024-01-02",
        },
        {"path": "b.png", "patient_id": "7", "outcome": "", "male": "False", "day": ""},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,outcome\na.png,1\n", r"table.csv has no column 'path' .* it has file, outcome"),
        ("Path,outcome\na.png,1\n", r"no column 'path' .*, did you mean 'Path'\?"),
        ("path,age,age\na.png,1,2\n", r"two columns named 'age'"),
        ("path,,age\na.png,1,2\n", r"a column without a name"),
        ("path,age\na.png,1,2\n", r"table.csv line 2 has 3 cells where the header has 2"),
        ('path,age\n"a.png,1\n', r"not a table of separated cells"),
        ("path,age\n\n", r"has no rows"),
        ("", r"has no rows"),
        ("path\n\0", r"NUL"),
    ],
)
def test_bad_tables_are_explained(cohort, text, message):
    with pytest.raises(InputError, match=message):
        _read(cohort(table_csv=text))


def test_other_encodings_are_named_with_their_line(tmp_path):
    (tmp_path / "table.csv").write_bytes("path,sex\na.png,Männlich\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"table.csv line 2 is not UTF-8 .* 'CSV UTF-8'"):
        _read(tmp_path)


def test_a_description_renames_columns_and_declares_outcomes(cohort):
    folder = cohort(
        cohort_toml="""
            source = "clinic"
            file = "cases.csv"
            scans = "scans"
            missing = ["?"]
            [columns]
            path = "File"
            patient_id = "Pat-ID"
            [outcomes.death]
            column = "died"
            classes = ["no", "yes"]
            [outcomes.findings]
            type = "multi-label"
            [sexes]
            "2" = "female"
            [geometry]
            layout = "6x2"
            px_per_mm = 8
        """,
        cases_csv='File;Pat-ID;died;findings;sex;room\nx\\a.png;1;1;"AF,LBBB";2;5\n'
        "x/b.png;2;?;?;1;\nx/c.png;3;no;LBBB;?;\n",
        **{f"scans__x__{name}_png": None for name in "abc"},
    )
    description, listing = _read(folder)
    assert listing.outcomes == {
        "death": Outcome("died", classes=("no", "yes")),
        "findings": Outcome("findings", "multi-label", ("AF", "LBBB")),
    }
    assert listing.notes == ("columns not used: room",)
    assert description.geometry == {"layout": "6x2", "px_per_mm": 8.0}
    cohort = _scans(folder)[1]
    scans = {scan.path.relative_to(folder / "scans").as_posix(): scan for scan in cohort.scans}
    assert scans["x/a.png"].features["labels"] == {"death": 1, "findings": [0, 1]}
    assert scans["x/b.png"].features["labels"] == {"death": -1, "findings": []}
    assert scans["x/c.png"].features["labels"] == {"death": 0, "findings": [1]}
    assert scans["x/a.png"].features["sex"] == "female"
    assert math.isnan(scans["x/a.png"].features["age_years"])
    assert cohort.counts == {"with sex not understood": 1}
    assert {scan.source for scan in scans.values()} == {"clinic"}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sorce", "x", r"unknown key sorce, did you mean 'source'\?; known are source, format"),
        ("columns", {"patientid": "x"}, r"key columns.patientid, did you mean 'patient_id'\?"),
        ("columns", {"age": 3}, r"columns.age is 3, expected a text"),
        ("outcomes", {"x": {"clases": []}}, r"outcomes.x.clases, did you mean 'classes'\?"),
        ("outcomes", {"a b": {}}, r"'a b' cannot be the name of an outcome"),
        ("outcomes", {"x": {"classes": ["a", "a"]}}, r"empty or a repeated name"),
        (
            "outcomes",
            {"x": {"type": "class"}},
            r"x.type is 'class', expected binary, multi-class",
        ),
        ("outcomes", {"x": {"type": "time-to-event"}}, r"names the column of its event as `event`"),
        ("outcomes", {"x": {"event": "died"}}, r"no other one does"),
        ("outcomes", {"x": {"type": "continuous", "classes": ["a"]}}, r"numbers have a unit, the"),
        ("masks", {"left": 0}, r"masks is .*, expected a list"),
        ("masks", [{"left": 0}], r"masks\[0\].top is None, expected a number"),
        (
            "masks",
            [{"left": 0, "top": 0, "right": 2, "bottom": 1}],
            r"masks\[0\] is .*: expected 0 <= left < right and .* 'fraction' \(up to 1\)",
        ),
        ("format", "tabel", r"format is 'tabel', expected table, list, folders, files"),
        ("picture", {"height": 8}, r"picture.height is 8, expected 32 to 4096 pixels"),
        ("picture", {"channels": 2}, r"picture.channels is 2, expected 1 \(grey\) or 3 \(RGB\)"),
        ("picture", {"width": True}, r"picture.width is True, expected a whole number"),
        ("geometry", {"layout": "5x5"}, r"no layout '5x5'"),
        ("normalise", {"rotate": True}, r"key normalise.rotate"),
        ("normalise", {"crop": 1}, r"normalise.crop is 1, expected true or false"),
        ("normalise", {"ink": True}, r"cohort.json: normalise.ink is true and geometry.layout and"),
        ("normalise", {"px_per_mm": -1}, r"normalise.px_per_mm is -1, expected a positive number"),
        ("normalise", {"scale": False, "px_per_mm": 2}, r"and normalise.scale = true"),
        ("normalise", {"scale": False, "flatten": True}, r"flatten = true needs normalise.scale"),
        ("geometry", {"px_per_mm": 0}, r"geometry.px_per_mm is 0, expected a number above 0"),
        ("sexes", {"1": "man"}, r"sexes.1 is 'man', expected 'female' or 'male'"),
        ("scans", "..", r"`scans` is '\.\.', which leads out of"),
        ("file", "/etc/passwd", r"`file` is '/etc/passwd', which leads out of"),
    ],
)
def test_a_faulty_description_is_explained(cohort, key, value, message):
    with pytest.raises(InputError, match=message):
        _read(cohort(table_csv=TABLE, cohort_json=json.dumps({key: value})))


def test_a_description_that_does_not_parse(cohort):
    with pytest.raises(InputError, match=r"cohort.toml cannot be parsed: .*line 1"):
        _read(cohort(cohort_toml="source = clinic"))
    with pytest.raises(InputError, match=r"has both cohort.toml and cohort.json"):
        _read(cohort(cohort_json="{}"))


def test_named_cohorts_state_their_columns_and_give_way(cohort):
    folder = cohort(table_csv="path,patient_id,outcome,age\na.png,1,0,50\n", a_png=None)
    with pytest.raises(InputError, match=r"no column 'sex' \(columns.sex\).*: name the right one"):
        _read(folder, COHORTS["precise"])
    cohort(cohort_toml="columns.sex = ''\ngeometry.layout = 'unknown'")
    description, listing = _read(folder, named_cohort("precise"))
    assert (description.source, list(listing.outcomes)) == ("precise", ["outcome"])
    assert description.geometry == {"mm_per_s": 25.0, "mm_per_mv": 10.0}
    assert set(listing.rows[0].facts) == {"patient_id", "age"}
    cohort(cohort_toml="format = 'folders'\nscans = 'x'", x__no__b_png=None)
    assert list(_read(folder, named_cohort("precise"))[1].outcomes) == ["label"]


def test_class_folders(cohort):
    folder = cohort(
        **{"AF__a_png": None, "AF__deep__b_TIF": None, "10__c_png": None, "9__d_jpg": None},
        **{"9__notes_txt": None, "_hidden__x_png": None},
    )
    _, listing = _read(folder)
    assert listing.outcomes == {"label": Outcome("label", classes=("9", "10", "AF"))}
    assert [row.place for row in listing.rows][:2] == ["picture 1 by name", "picture 2 by name"]
    rows = {row.path: row.cells["label"] for row in listing.rows}
    assert rows == {"AF/a.png": "AF", "AF/deep/b.TIF": "AF", "10/c.png": "10", "9/d.jpg": "9"}
    assert listing.notes == ("files that are no pictures: .txt 1",)
    cohort(e_png=None)
    with pytest.raises(InputError, match=r"pictures both beside and inside of folders"):
        _read(folder)
    cohort(cohort_toml="format = 'folders'")
    with pytest.raises(InputError, match=r"1 pictures outside of class folders"):
        _read(folder)


def test_pictures_alone_have_no_labels(cohort):
    folder = cohort(a_png=None, b_pdf=None)
    _, listing = _read(folder)
    assert listing.outcomes == {}
    assert [row.path for row in listing.rows] == ["a.png", "b.pdf"]
    by_split, cohort, _ = _scans(folder)
    assert sum(map(len, by_split.values())) == 2
    assert cohort.notes[0].startswith("no patient ids: every file counts as a patient of its own")


@pytest.mark.parametrize(
    ("text", "classes", "several"),
    [
        ("a.png 1\nmy scan.png 0\n", ("0", "1"), False),
        ("a.png AF,LBBB\n\nmy scan.png LBBB\n", ("AF", "LBBB"), True),
        ("a.png\nmy scan.png late\n", ("late",), False),
        ("a.png\nmy scan.png\nno such.png\n", None, False),
    ],
)
def test_lists_of_files(cohort, text, classes, several):
    folder = cohort(annotations_txt=text, a_png=None)
    (folder / "my scan.png").touch()
    _, listing = _read(folder)
    assert [row.path for row in listing.rows][:2] == ["a.png", "my scan.png"]
    type_ = "multi-label" if several else "multi-class"
    expected = {} if classes is None else {"label": Outcome("label", type_, classes)}
    assert listing.outcomes == expected


def test_a_line_too_long_for_a_name_is_a_line_like_any_other(cohort):
    endless = "m" * 300
    _, listing = _read(cohort(annotations_txt=f"a.png 1\n{endless} 0\n{endless}\n", a_png=None))
    assert [row.path for row in listing.rows] == ["a.png", endless, endless]
    assert [row.cells["label"] for row in listing.rows] == ["1", "0", ""]


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ('file = "{name}.csv"', r"has no m+\.csv: name the file"),
        ('scans = "{name}"\nformat = "files"', "is not a folder"),
    ],
)
def test_a_description_with_a_name_too_long_is_explained(cohort, description, words):
    folder = cohort(cohort_toml=description.format(name="m" * 300), a_png=None)
    with pytest.raises(InputError, match=words):
        _read(folder)


def test_lists_with_declared_classes_take_names_and_indices(cohort):
    folder = cohort(
        annotations_txt="a.png 1\nb.png sinus\n",
        cohort_toml='outcomes.label.classes = ["sinus", "AF"]',
        a_png=None,
        b_png=None,
    )
    labels = {s.path.name: s.features["labels"] for s in _scans(folder)[1].scans}
    assert labels == {"a.png": {"label": 1}, "b.png": {"label": 0}}
    cohort(annotations_txt="a.png 1\nb.png 2\n")
    with pytest.raises(InputError, match=r"line 2 has '2' for outcome 'label', .* sinus, AF"):
        _read(folder)


def test_outcomes_that_are_no_classes(cohort):
    rows = "".join(f"{i}.png,{i}.5\n" for i in range(101))
    with pytest.raises(InputError, match=r"101 different values; .* type = 'continuous'"):
        _read(cohort(table_csv="path,outcome\n" + rows))
    with pytest.raises(InputError, match=r"outcome 'outcome' .* has no value in any row"):
        _read(cohort(table_csv="path,outcome\na.png,NA\n"))


def test_the_account_of_an_outcome():
    outcome = Outcome("x", classes=("no", "yes"))
    assert tell("x", outcome, [0, 1, 0, -1]) == ["outcome x: no 2, yes 1; missing 1"]
    assert tell("x", outcome, [0, 0])[1] == (
        "outcome x has fewer than two classes: nothing can be learned from it"
    )
    several = Outcome("x", "multi-label", ("no", "yes"))
    assert tell("x", several, [[0, 1], [], [1]]) == ["outcome x: yes 2, no 1; missing 1"]


def test_nothing_outside_of_the_folder_is_read(cohort, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.touch()
    folder = cohort(a_png=None)
    (folder / "link.png").symlink_to(outside)
    (folder / "inner.png").symlink_to("a.png")  # no row names it
    os.mkfifo(folder / "pipe.png")
    names = ["../x.png", str(outside), "link.png", "https://x.org/a.png", "s3://b/a.png", "b.png"]
    names += ["pipe.png", "", "x" * 300, "a.png"]
    cohort(table_csv="path,note\n" + "".join(f"{name},n\n" for name in names))
    by_split, cohort, _ = _scans(folder)
    assert [scan.path.name for some in by_split.values() for scan in some] == ["a.png"]
    assert cohort.notes[-1] == "pictures of the folder that no row names, not read: 1"
    codes = {
        "../x.png": "outside-folder",
        str(outside): "outside-folder",
        "link.png": "outside-folder",
        "https://x.org/a.png": "not-a-local-file",
        "s3://b/a.png": "not-a-local-file",
        "b.png": "no-file",
        "pipe.png": "no-file",
        "x" * 300: "no-file",
    }
    expected = {pseudonym("record", name): code for name, code in codes.items()}
    assert _codes(cohort) == expected | {"": "no-path"}
    assert "table.csv line 9: the row names no file" in [f.detail for f in cohort.rejections]


def test_repeated_rows_are_refused_and_contradictions_stop_the_build(cohort):
    folder = cohort(table_csv="path,outcome\na.png,1\n./a.png,1\nb.png,0\n", a_png=None, b_png=None)
    ((fault,),) = _scans(folder)[2:]
    assert fault.record == pseudonym("record", "a.png")
    assert fault.code == "duplicate-row"
    assert fault.detail == "table.csv line 3: repeats table.csv line 2"
    cohort(table_csv="path,outcome\na.png,1\na.png,0\n")
    with pytest.raises(InputError, match=r"line 2 and table.csv line 3 say different things about"):
        _scans(folder)


def test_rows_without_a_patient_are_refused_where_others_have_one(cohort):
    folder = cohort(table_csv="path,patient_id\na.png,1\nb.png,NA\n", a_png=None, b_png=None)
    cohort = _scans(folder)[1]
    assert _codes(cohort) == {pseudonym("record", "b.png"): "no-patient-id"}
    assert cohort.notes == []


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (
            ("train", "test"),
            r"line 3: the patient is in 'test' and, in table.csv line 2, in ",
        ),
        (("train", "holdout"), r"line 3: the split is 'holdout'; .* train, validation and test"),
        (("train", ""), r"line 3: the split is ''; .* or leave the column out"),
    ],
)
def test_given_splits_are_checked(cohort, splits, message):
    rows = "".join(f"{name}.png,1,{split}\n" for name, split in zip("ab", splits, strict=True))
    folder = cohort(table_csv="path,patient_id,split\n" + rows, a_png=None, b_png=None)
    with pytest.raises(InputError, match=message):
        _scans(folder)


def test_every_description_has_the_same_picture_by_default():
    for name, cohort in COHORTS.items():
        assert cohort.picture == Description().picture
        assert cohort.source == name
    with pytest.raises(InputError, match="no cohort 'nobody'; there are custom, precise"):
        named_cohort("nobody")
