import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge.classes import Classes, read_classes
from ecgmae_jax.evaluation.challenge.files import (
    output_text,
    paired_files,
    read_label,
    read_output,
)

CLASSES = Classes(("1", "2|3"), (frozenset({"1"}), frozenset({"2", "3"})), np.eye(2))
WEIGHTS = {
    2020: ",59118001,1,713427006\n59118001,1,0.5,1\n1,0.5,1,0.5\n713427006,1,0.5,1\n",
    2021: ",3|2,1\n3|2,1,0.5\n1,0.5,1\n",
}


@pytest.fixture
def write(tmp_path):
    def write(text, name="r.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_equivalent_classes_are_one(write):
    newer = read_classes(write(WEIGHTS[2021]), year=2021)
    assert newer.names == ("2|3", "1")
    np.testing.assert_array_equal(newer.weights, [[1, 0.5], [0.5, 1]])
    older = read_classes(write(WEIGHTS[2020]), year=2020)
    # Named after the pair's first code, and where the first of its rows stands.
    assert older.names == ("713427006", "1")
    assert older.codes[0] == {"713427006", "59118001"}
    np.testing.assert_array_equal(older.weights, [[1, 0.5], [0.5, 1]])
    assert read_classes(write(WEIGHTS[2020]), year=2021).names == ("59118001", "1", "713427006")


@pytest.mark.parametrize(
    ("text", "year", "message"),
    [
        (",1,2\n1,1,0\n3,0,1\n", 2021, "2 rows and 2 columns of classes that should be the same"),
        (",1,2\n1,1\n2,0,1\n", 2021, "should be the same"),
        ("", 2021, "0 rows and 0 columns"),
        (",1\n1,one\n", 2021, "could not convert string to float: 'one'; every weight"),
        (WEIGHTS[2020].replace("59118001,1,0.5", "59118001,1,0.4"), 2020, "2 rows of class 713427"),
    ],
)
def test_wrong_weights_are_refused(write, text, year, message):
    with pytest.raises(InputError, match=message):
        read_classes(write(text), year=year)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"weights\.csv cannot be read: No such file"):
        read_classes(tmp_path / "weights.csv", year=2021)


@pytest.mark.parametrize("year", [2020, 2021])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#Dx: 1,3", [True, True]),
        ("# Dx: 1", [True, False]),
        ("#Dx:2 , 7", [False, True]),
        ("#Dx: Unknown", [False, False]),
        ("#Dx: ", [False, False]),
        ("#Dx: 1\n#Dx: 2", [True, True]),
        ("#Dx: 12", [False, False]),
    ],
)
def test_diagnoses_are_read_with_and_without_spaces(write, line, expected, year):
    path = write(f"r 12 500 5000\n#Age: 60\n{line}\n", "r.hea")
    assert read_label(path, CLASSES, year=year).tolist() == expected


def test_only_2020_needs_a_line_of_diagnoses(write):
    path = write("r 12 500 5000\n#Age: 60\n", "r.hea")
    assert not read_label(path, CLASSES, year=2021).any()
    with pytest.raises(InputError, match=r"r\.hea: no line `#Dx: <codes>`"):
        read_label(path, CLASSES, year=2020)


@pytest.mark.parametrize(
    ("answer", "called_2020", "called_2021"),
    [
        *((word, True, True) for word in ("1", "True", "true", "T", "t", " 1 ")),
        *((word, False, True) for word in ("1.0", "1e0", "+1")),
        *((word, False, False) for word in ("0", "TRUE", "yes", "2", "0.9", "nan", "")),
    ],
)
def test_what_counts_as_true(write, answer, called_2020, called_2021):
    path = write(f"#r\n1,2\n{answer},0\n0.5,0.5\n")
    assert read_output(path, CLASSES, year=2020)[0].tolist() == [called_2020, False]
    assert read_output(path, CLASSES, year=2021)[0].tolist() == [called_2021, False]


def test_equivalent_columns_any_calls_and_the_mean_scores(write):
    path = write("#r\n2,3,9\n0,1,1\n0.25,0.5,0.75\n")
    for year in (2020, 2021):
        called, scores = read_output(path, CLASSES, year=year)
        assert called.tolist() == [False, True]
        assert scores.tolist() == [0, 0.375]


def test_joined_codes_are_one_class_in_2021_and_unknown_in_2020(write):
    path = write("#r\n1,3|2\n0,1\n0.5,0.5\n")
    assert read_output(path, CLASSES, year=2021)[0].tolist() == [False, True]
    called, scores = read_output(path, CLASSES, year=2020)
    assert called.tolist() == [False, False]
    assert scores.tolist() == [0.5, 0]


def test_scores_that_are_no_numbers(write):
    path = write("#r\n1,2,3\n0,0,0\ninf,nan,0.5\n")
    # 2021 sets them to 0 before the mean, 2020 only a NaN and after it.
    assert read_output(path, CLASSES, year=2021)[1].tolist() == [0, 0.25]
    assert read_output(path, CLASSES, year=2020)[1].tolist() == [np.inf, 0]
    path = write("#r\n1,2\n0,0\nhigh,-inf\n")
    assert read_output(path, CLASSES, year=2021)[1].tolist() == [0, 0]
    assert read_output(path, CLASSES, year=2020)[1].tolist() == [0, -np.inf]


def test_comments_and_blank_lines_are_skipped_in_2020(write):
    path = write("#r\n#made by nobody\n\n1,2\n 0,1\n0.25,0.5")
    called, scores = read_output(path, CLASSES, year=2020)
    assert called.tolist() == [False, True]
    assert scores.tolist() == [0.25, 0.5]


@pytest.mark.parametrize("text", ["#r\n1,2\n0\n0.5,0.5\n", "#r\n1,2\n1,1\n", ""])
def test_a_malformed_output_calls_nothing_in_2020_and_is_refused_in_2021(write, text):
    path = write(text)
    called, scores = read_output(path, CLASSES, year=2020)
    assert not called.any()
    assert not scores.any()
    with pytest.raises(InputError, match=r"r\.csv: lines 2 to 4 have .* three lines of equal"):
        read_output(path, CLASSES, year=2021)


@pytest.mark.parametrize("year", [2020, 2021])
def test_what_is_written_is_read_back_to_the_last_digit(write, year):
    text = output_text("r", ["1", "2", "3"], [True, False, True], [0.1, 1 / 3, 1e-300])
    assert text.splitlines()[:3] == ["#r", "1,2,3", "1,0,1"]
    called, scores = read_output(write(text), CLASSES, year=year)
    assert called.tolist() == [True, True]
    assert scores.tolist() == [0.1, (1 / 3 + 1e-300) / 2]


def test_every_header_has_an_output(tmp_path):
    with pytest.raises(InputError, match="labels is not a folder"):
        paired_files(tmp_path / "labels", tmp_path)
    with pytest.raises(InputError, match=r"holds no \.hea files"):
        paired_files(tmp_path, tmp_path)
    for name in ("b.hea", "a.HEA", ".hidden.hea", "a.mat"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"has no a\.csv \(2 of 2 records are missing\)"):
        paired_files(tmp_path, tmp_path)
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).touch()
    assert [out.name for _, out in paired_files(tmp_path, tmp_path)] == ["a.csv", "b.csv"]
