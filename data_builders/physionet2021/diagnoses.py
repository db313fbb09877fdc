"""The SNOMED CT codes of the PhysioNet/CinC Challenge 2021 as labels."""

import csv
import pathlib
from typing import Any

from ecgmae_jax.records.diagnoses import scored_classes
from ecgmae_jax.records.recording import Recording


def _read_codes() -> tuple[str, ...]:
    # From dx_mapping_scored.csv and dx_mapping_unscored.csv of the Challenge's evaluation code
    # (https://github.com/physionetchallenges/evaluation-2021, BSD 2-Clause): 30 and 103 codes.
    with pathlib.Path(__file__).with_name("diagnoses.csv").open(encoding="utf-8") as file:
        return tuple(row["code"] for row in csv.DictReader(file))


SNOMED_CODES = _read_codes()
_LISTED = frozenset(SNOMED_CODES)


def labels_of(recording: Recording) -> dict[str, Any]:
    """The listed codes and the scored classes among a recording's diagnoses."""
    codes = recording.diagnoses
    return {
        "labels": {
            "snomed": [code for code in codes if code in _LISTED],
            "scored": list(scored_classes(codes)),
        }
    }
