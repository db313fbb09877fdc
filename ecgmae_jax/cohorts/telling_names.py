"""Ids and file names that tell who the patient is: names of people and dates of birth."""

import contextlib
import datetime
import re

_WORDS = re.compile(r"[^\W\d_]+")
# Between small and large letters a name such as HansMueller falls into words.
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_DATE = re.compile(
    r"(?<!\d)(?:(\d{4})([-._/])(\d{1,2})\2(\d{1,2})|(\d{1,2})([-._/])(\d{1,2})\6(\d{4}|\d\d)|\d{8})"
    r"(?!\d)"
)
_FIRST_YEAR = 1900
_SHORTEST = 3
# What hospitals and their machines write into ids and file names besides.
_COMMON_WORDS = (
    "ecg ecgs ekg ekgs lead leads strip rhythm rest resting stress holter exercise sinus normal "
    "abnormal af afib lbbb rbbb stemi nstemi hcm muse philips schiller mortara standard scan "
    "scans scanned page pages sheet image images img picture photo file doc document print pdf "
    "png jpg jpeg tif tiff bmp dicom dcm copy final new old front back left right data row line "
    "patient patients pat pid case cases subject study studies record records recording report "
    "visit admission encounter baseline follow followup discharge month months year years day "
    "days week weeks number num test train validation anon anonymous anonymised anonymized "
    "pseudo site clinic hospital ward unit department before after dead alive male female "
    "dataset cohort sample mrn uid control controls group the and "
)
_COMMON = frozenset(_COMMON_WORDS.split())


def looks_like_name(text: str) -> bool:
    """Whether it reads like a person's name: two words that are none of the usual, or one alone."""
    words = [word for part in _WORDS.findall(text) for word in _CAMEL.split(part)]
    unusual = [word for word in words if len(word) >= _SHORTEST and word.lower() not in _COMMON]
    # Abbreviations have no vowels, and codes such as XQZ hardly any.
    spoken = [word for word in unusual if re.search(r"[aeiouyäöüàâéèêíîóôúûáå]", word.lower())]
    is_whole = len(spoken) == 1 and len(words) == 1 and not any(map(str.isdigit, text))
    return len(spoken) >= 2 or (is_whole and len(spoken[0]) > _SHORTEST)


def dates_in(text: str) -> list[datetime.date]:
    """The days that are written in a text, in any of the usual orders; none of the future."""
    found = [_date(match) for match in _DATE.finditer(text)]
    return [date for date in found if date is not None]


def _date(match: re.Match[str]) -> datetime.date | None:
    """The day in the first order that makes one: year first, then day first, then month first."""
    digits, today = match[0], datetime.date.today()
    if match[1]:
        candidates = [(match[1], match[3], match[4])]
    elif match[5]:
        year = match[8]
        if len(year) == 2:
            year = f"20{year}" if int(year) <= today.year % 100 else f"19{year}"
        candidates = [(year, match[7], match[5]), (year, match[5], match[7])]
    else:
        candidates = [
            (digits[:4], digits[4:6], digits[6:]),
            (digits[4:], digits[2:4], digits[:2]),
            (digits[4:], digits[:2], digits[2:4]),
        ]
    for parts in candidates:
        with contextlib.suppress(ValueError):
            date = datetime.date(*map(int, parts))
            if date.year >= _FIRST_YEAR and date <= today:
                return date
    return None
