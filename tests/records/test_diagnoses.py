import math

import pytest

from ecgmae_jax.records.diagnoses import (
    SCORED_CLASSES,
    SCORED_CODES,
    header_fields,
    parse_age,
    parse_diagnoses,
    parse_sex,
    scored_classes,
)


def test_comments_of_either_spelling_are_read():
    assert header_fields(["#Age: 74", "# Dx: 1234567,7654321", "#sEx:F", "free text"]) == {
        "age": "74",
        "dx": "1234567,7654321",
        "sex": "F",
    }


def test_bracketed_fields_may_share_a_line():
    fields = header_fields(["<age>: 65 <sex>: F <diagnoses> Coronary artery disease"])
    assert fields == {"age": "65", "sex": "F", "diagnoses": "Coronary artery disease"}


def test_the_first_field_of_a_name_counts():
    assert header_fields(["Age: 1", "age: 2"]) == {"age": "1"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("164889003,59118001", ("164889003", "59118001")),
        ("164889003, 59118001 ,164889003", ("164889003", "59118001")),
        ("Unknown", ()),
        ("", ()),
        ("nan,164889003", ("164889003",)),
        ("1", ()),
    ],
)
def test_diagnoses_are_codes_each_once(text, codes):
    assert parse_diagnoses(text) == codes


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("74", 74.0),
        ("56.0", 56.0),
        ("0.5", 0.5),
        ("63Y", 63.0),
        (">89", 90.0),
        ("300", 90.0),
        ("300.0", 90.0),
        ("120", 120.0),
    ],
)
def test_ages(text, years):
    assert parse_age(text) == years


@pytest.mark.parametrize(
    "text", ["NaN", "Unknown", "", "-1", "121", "299", "1e3", "> 20", "six", "٦"]
)
def test_ages_that_are_none(text):
    assert math.isnan(parse_age(text))


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("F", "female"),
        ("Female", "female"),
        ("male", "male"),
        ("M", "male"),
        ("Unknown", "unknown"),
        ("", "unknown"),
        ("NaN", "unknown"),
    ],
)
def test_sexes(text, sex):
    assert parse_sex(text) == sex


def test_26_classes_score_30_codes():
    codes = [code for group in SCORED_CODES.values() for code in group]
    assert len(SCORED_CLASSES) == 26
    assert len(codes) == len(set(codes)) == 30


def test_equivalent_codes_are_one_class():
    assert scored_classes(("59118001", "713427006", "164889003")) == ("AF", "CRBBB|RBBB")
    assert scored_classes(("733534002",)) == scored_classes(("164909002",)) == ("CLBBB|LBBB",)
    assert scored_classes(("425856008",)) == ()


def test_the_table_is_the_official_one(real_data):
    folder = real_data / "challenge-2021" / "evaluation"
    codes = (folder / "weights.csv").read_text().splitlines()[0].split(",")[1:]
    names = (folder / "weights_abbreviations.csv").read_text().splitlines()[0].split(",")[1:]
    assert list(SCORED_CODES) == names
    assert ["|".join(group) for group in SCORED_CODES.values()] == codes
