"""Whether the patients a model is tested on were in the data it was pre-trained on.

Every recording has identities that do not change from one dataset to another; two recordings
that share one are of the same patient. The identities of the pre-training data are kept as a small
file beside its checkpoints.
"""

import dataclasses
import hashlib
import io
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, UInt64

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError

# The columns of a dataset, or of its embeddings, that identities are made of.
COLUMNS = ("source", "record_id", "patient_id", "group")
FILE = "pretraining_identities.npy"
_PTB_XL = "ptb-xl"
# Under pseudonyms, which are the same in every cohort of one key.
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Test recordings whose patients were in the pre-training data.

    Attributes:
        records: how many of them.
        patients: how many patients they are of.
        total: test recordings in all.
    """

    records: int
    patients: int
    total: int

    def __str__(self) -> str:
        return (
            f"{self.records} of {self.total} test recordings, of {self.patients} patients, were in "
            "the pre-training data"
        )


def dataset_identities(dataset: Dataset) -> UInt64[np.ndarray, "n 3"]:
    """The identities of all recordings of a split, a row for each example."""
    return identities(_columns(dataset))


def dataset_overlap(dataset: Dataset, folder: pathlib.Path) -> Overlap | None:
    """How much of a split the model of a workdir was pre-trained on; None where it does not say."""
    if not (folder / FILE).is_file():
        return None
    columns = _columns(dataset)
    seen = were_seen(identities(columns), read_identities(folder / FILE))
    return find_overlap(seen, columns["group"])


def joined(overlaps: Sequence[Overlap]) -> Overlap:
    """The overlap of several splits that share no patients."""
    return Overlap(
        sum(one.records for one in overlaps),
        sum(one.patients for one in overlaps),
        sum(one.total for one in overlaps),
    )


def identities(columns: Mapping[str, Sequence[str]]) -> UInt64[np.ndarray, "n 3"]:
    """Of every recording three numbers, each known to other datasets if they have the recording.

    The patient's group; the record within its source; the patient's pseudonym. PTB-XL is inside
    the Challenge of 2021, whose record HR00001 is its 00001; the Challenge names no patients, so
    there a patient is known by the same recording alone.

    Args:
        columns: COLUMNS, one text per recording.
    """
    rows = [
        (f"group {group}", f"record {source} {_record(source, record)}", _patient(patient, group))
        for source, record, patient, group in zip(*(columns[n] for n in COLUMNS), strict=True)
    ]
    numbers = [[_number(text) for text in row] for row in rows]
    return np.array(numbers, np.uint64).reshape(len(rows), 3)


def were_seen(
    tested: UInt64[np.ndarray, "n 3"], pretrained_on: UInt64[np.ndarray, " m"]
) -> Bool[np.ndarray, " n"]:
    """Which recordings share an identity with the pre-training data."""
    return np.asarray(np.isin(tested, pretrained_on).any(axis=1))


def find_overlap(seen: Bool[np.ndarray, " n"], groups: Sequence[str]) -> Overlap:
    """How many recordings of how many patients; a patient seen once counts with all recordings."""
    rows = np.asarray(groups, dtype=str)
    patients = np.unique(rows[seen])
    return Overlap(int(np.isin(rows, patients).sum()), len(patients), len(rows))


def check_overlap(overlap: Overlap, *, allowed: bool, setting: str) -> str:
    """What every output has to say of the overlap; empty where there is none.

    Args:
        allowed: the user wants to go on all the same.
        setting: by which the user says so.

    Raises:
        InputError: an overlap that is not allowed.
    """
    if not overlap.patients:
        return ""
    if not allowed:
        raise InputError(
            f"{overlap}: results would be too good; test on other patients, pre-train without "
            f"these, or set {setting}=True, which every output will state"
        )
    return f"LEAKAGE ALLOWED BY THE USER: {overlap}"


def identities_npy(*numbers: UInt64[np.ndarray, "..."]) -> bytes:
    """All these identities, each once, as the file that is kept beside a model's checkpoints."""
    content = io.BytesIO()
    every = np.concatenate([np.empty(0, np.uint64), *(some.reshape(-1) for some in numbers)])
    np.save(content, np.unique(every), allow_pickle=False)
    return content.getvalue()


def read_identities(path: str | os.PathLike[str]) -> UInt64[np.ndarray, " m"]:
    """The identities of a file that `identities_npy` made; InputError for anything else."""
    path = pathlib.Path(path)
    try:
        numbers = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        raise InputError(
            f"{path} cannot be read ({' '.join(str(fault).split())}): it says which recordings the "
            "model was pre-trained on; copy it from the pre-training's workdir"
        ) from fault
    if numbers.dtype != np.uint64 or numbers.ndim != 1:
        raise InputError(f"{path} holds no identities: copy it from the pre-training's workdir")
    return numbers


def _columns(dataset: Dataset) -> dict[str, list[str]]:
    source = dataset.source.only(*COLUMNS)
    rows = [source[i] for i in range(len(source))]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _record(source: str, record: str) -> str:
    number = re.fullmatch(r"(?:HR)?(\d{5})(?:_[lh]r)?", record)
    return number[1] if source == _PTB_XL and number else record


def _patient(patient: str, group: str) -> str:
    return f"pseudonym {patient}" if _PSEUDONYM.fullmatch(patient) else f"group {group}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
