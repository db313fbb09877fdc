import datetime

import pytest

from ecgmae_jax.cohorts.telling_names import dates_in, looks_like_name


@pytest.mark.parametrize(
    "text",
    [
        "Mueller_Hans_0001",
        "MUELLER, HANS",
        "scans HansMueller 20240301",
        "García-López María",
        "mueller",
        "ecg of anna schmidt",
    ],
)
def test_names_of_people(text):
    assert looks_like_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "0001",
        "MRN40012345",
        "ecg00010",
        "scan_0012_page2",
        "patient-007",
        "IMG_20240301_101500",
        "visit1/lead II",
        "A0001",
        "XQZ17",
        "p12 rest",
        "af",
        "",
    ],
)
def test_numbers_and_usual_words(text):
    assert not looks_like_name(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("19540312", ["1954-03-12"]),
        ("a_1954-03-12_b", ["1954-03-12"]),
        ("12.03.1954", ["1954-03-12"]),
        ("12031954", ["1954-03-12"]),
        ("3/25/1954", ["1954-03-25"]),
        ("5.7.61", ["1961-07-05"]),
        ("1954-03-12 and 2001-01-01", ["1954-03-12", "2001-01-01"]),
        ("40012345", []),
        ("19541332", []),
        ("195403121", []),
        ("2999-01-01", []),
        ("18990101", []),
    ],
)
def test_days_in_any_order(text, days):
    assert dates_in(text) == [datetime.date.fromisoformat(day) for day in days]
