"""What headers say about the patient, and the classes scored by the Challenge of 2021."""

import math
import re
from collections.abc import Iterable

from ecgmae_jax.records.recording import Sex

# `Age: 63`, and `<age>: 63 <sex>: F` on one line, as some PhysioNet databases write it.
_FIELD = re.compile(r"<(?P<tag>\w+)>:?(?P<tagged>[^<]*)|^(?P<name>\w+)\s*:(?P<rest>.*)$")
_CODE = re.compile(r"\d{6,18}", re.ASCII)
_AGE = re.compile(r"(?P<over>[>≥]?)\s*(?P<years>\d{1,3}(?:\.\d{1,6})?)\s*y?", re.ASCII)

_OLDEST_AGE = 120.0
# Ages over 89 identify people in the United States; PTB-XL writes 300, others ">89".
_CONCEALED_AGE = 90.0
_SEXES: dict[str, Sex] = {"f": "female", "female": "female", "m": "male", "male": "male"}

# PhysioNet/CinC Challenge 2021, tables `dx_mapping_scored.csv` and `weights_abbreviations.csv` of
# its evaluation code: abbreviation -> SNOMED CT codes scored as one class, in the order there.
SCORED_CODES: dict[str, tuple[str, ...]] = {
    "AF": ("164889003",),
    "AFL": ("164890007",),
    "BBB": ("6374002",),
    "Brady": ("426627000",),
    "CLBBB|LBBB": ("733534002", "164909002"),
    "CRBBB|RBBB": ("713427006", "59118001"),
    "IAVB": ("270492004",),
    "IRBBB": ("713426002",),
    "LAD": ("39732003",),
    "LAnFB": ("445118002",),
    "LPR": ("164947007",),
    "LQRSV": ("251146004",),
    "LQT": ("111975006",),
    "NSIVCB": ("698252002",),
    "NSR": ("426783006",),
    "PAC|SVPB": ("284470004", "63593006"),
    "PR": ("10370003",),
    "PRWP": ("365413008",),
    "PVC|VPB": ("427172004", "17338001"),
    "QAb": ("164917005",),
    "RAD": ("47665007",),
    "SA": ("427393009",),
    "SB": ("426177001",),
    "STach": ("427084000",),
    "TAb": ("164934002",),
    "TInv": ("59931005",),
}
SCORED_CLASSES = tuple(SCORED_CODES)
_CLASS_OF_CODE = {code: name for name, codes in SCORED_CODES.items() for code in codes}


def scored_classes(codes: Iterable[str]) -> tuple[str, ...]:
    """The scored classes among SNOMED CT codes, each once, in the order of `SCORED_CLASSES`."""
    found = {_CLASS_OF_CODE.get(code) for code in codes}
    return tuple(name for name in SCORED_CLASSES if name in found)


def header_fields(comments: Iterable[str]) -> dict[str, str]:
    """`name: value` pairs of comment lines, names in lower case; the first of a name counts.

    Args:
        comments: comment lines with or without the leading `#`.
    """
    fields: dict[str, str] = {}
    for comment in comments:
        for match in _FIELD.finditer(comment.lstrip("# \t")):
            name = match["tag"] or match["name"]
            value = match["tagged"] if match["tag"] else match["rest"]
            fields.setdefault(name.lower(), value.strip())
    return fields


def parse_diagnoses(text: str) -> tuple[str, ...]:
    """SNOMED CT codes of a `Dx` field, each once; words such as `Unknown` are no codes."""
    parts = re.split(r"[\s,;|]+", text)
    return tuple(dict.fromkeys(part for part in parts if _CODE.fullmatch(part)))


def parse_age(text: str) -> float:
    """Age in years, NaN when it is missing or impossible.

    An age concealed because it is over 89 (`>89`, or 300 as PTB-XL writes it) becomes 90.
    """
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        return math.nan
    years = float(match["years"])
    if years == 300 or (match["over"] and years >= 89):
        return _CONCEALED_AGE
    return math.nan if match["over"] or years > _OLDEST_AGE else years


def parse_sex(text: str) -> Sex:
    """Sex from a word or its first letter, in any case."""
    return _SEXES.get(text.strip().lower(), "unknown")
