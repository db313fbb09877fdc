"""From WFDB recordings to examples, with the account of what was read, cut and refused."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from data_builders.account import Account
from data_builders.contents import PICTURES_PER_CALL, WINDOW_S, Form, contents, window
from ecgmae_jax.cohorts.identifiers import group_of
from ecgmae_jax.records.recording import Recording, RejectedRecord
from ecgmae_jax.records.segments import Segment, cut_segments
from ecgmae_jax.records.wfdb_reader import read_recording

KeyExample = tuple[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recording to read and what the dataset's own tables say about it.

    Attributes:
        root: no file of the recording may lie outside this folder.
        features: features of the example that the recording itself does not have, or that the
            tables know better (labels, age_years, sex).
    """

    header: pathlib.Path
    root: pathlib.Path
    source: str
    record_id: str
    patient_id: str
    features: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def no_labels(recording: Recording) -> dict[str, Any]:
    """For datasets whose labels stand in a table, not in the recordings."""
    del recording
    return {}


def examples_of(
    entries: Sequence[Entry],
    *,
    form: Form,
    labels_of: Callable[[Recording], Mapping[str, Any]] = no_labels,
    known_codes: frozenset[str] | None = None,
) -> tuple[list[KeyExample], Account]:
    """All examples of some recordings, and the account of what was read, cut and refused.

    Args:
        entries: the recordings; their pictures are drawn together, in batches.
        form: what each example holds.
        labels_of: the features that follow from a recording's own diagnoses.
        known_codes: diagnoses with a code outside of them are counted; None for any.
    """
    account = Account()
    examples = []
    for batch in _batches(_pieces(entries, account, known_codes), PICTURES_PER_CALL):
        signals = np.stack([window(segment) for _, _, segment in batch])
        keys = [
            f"{entry.source}/{entry.record_id}/{segment.index:05d}" for entry, _, segment in batch
        ]
        for key, (entry, recording, segment), content in zip(
            keys, batch, contents(signals, keys, form), strict=True
        ):
            facts = _facts(entry, recording, segment)
            examples.append((key, {**facts, **content, **labels_of(recording), **entry.features}))
    return examples, account


def _pieces(
    entries: Sequence[Entry], account: Account, known_codes: frozenset[str] | None
) -> Iterator[tuple[Entry, Recording, Segment]]:
    for entry in entries:
        tally = account.of(entry.source)
        try:
            recording = read_recording(
                entry.header, root=entry.root, source=entry.source, patient_id=entry.patient_id
            )
        except RejectedRecord as fault:
            tally.add_rejected(fault)
            continue
        segments = cut_segments(recording, window_s=WINDOW_S)
        tally.add_read(len(segments))
        account.counts[f"at {recording.rate_hz:g} Hz"] += 1
        for code in recording.diagnoses:
            if known_codes is not None and code not in known_codes:
                account.counts[f"with the unlisted diagnosis {code}"] += 1
        for segment in segments:
            yield entry, recording, segment


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _facts(entry: Entry, recording: Recording, segment: Segment) -> dict[str, Any]:
    return {
        "record_id": entry.record_id,
        "patient_id": entry.patient_id,
        "source": entry.source,
        "segment": segment.index,
        "start_s": segment.start_s,
        "original_rate_hz": recording.rate_hz,
        "diagnoses": list(recording.diagnoses),
        "age_years": recording.age_years,
        "sex": recording.sex,
        "group": group_of(entry.source, entry.patient_id),
    }
