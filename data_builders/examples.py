"""From WFDB recordings to examples: read, cut, resample, draw, encode."""

import dataclasses
import functools
import hashlib
import io
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16, UInt8
from PIL import Image

from data_builders.account import Account
from ecgmae_jax.records.recording import Recording, RejectedRecord
from ecgmae_jax.records.resampling import resample
from ecgmae_jax.records.segments import Segment, cut_segments
from ecgmae_jax.records.wfdb_reader import read_recording
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.sheet import Sheet

KeyExample = tuple[str, dict[str, Any]]

RATE_HZ = 500.0
WINDOW_S = 10.0
NUM_SAMPLES = round(RATE_HZ * WINDOW_S)
UV_PER_LSB = 1.0
MISSING = np.int16(-32768)
_PICTURES_PER_CALL = 16


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


@dataclasses.dataclass(frozen=True)
class Form:
    """What an example holds of its segment: a drawn sheet, or the samples where `sheet` is None."""

    sheet: Sheet | None
    renderer: str = "jax"


def group_of(source: str, patient_id: str) -> str:
    """The patient's 16 hex digits, by which splits are made."""
    return hashlib.sha256(f"{source}/{patient_id}".encode()).hexdigest()[:16]


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
    for batch in _batches(_pieces(entries, account, known_codes), _PICTURES_PER_CALL):
        signals = np.stack([_window(segment) for _, _, segment in batch])
        for (entry, recording, segment), content in zip(
            batch, _contents(signals, form), strict=True
        ):
            key = f"{entry.source}/{entry.record_id}/{segment.index:05d}"
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


def _window(segment: Segment) -> Float32[np.ndarray, "12 t"]:
    """The segment at RATE_HZ without offsets, NaN after its end where it is a short one.

    The median of each lead is 0, as on paper: every recorder leaves direct current out, some
    files do not, and a lead 4 mV off its place is drawn among the others.
    """
    signal = resample(segment.signal_mv, from_hz=segment.rate_hz, to_hz=RATE_HZ)[:, :NUM_SAMPLES]
    recorded = ~np.isnan(signal).all(axis=1)
    signal[recorded] -= np.nanmedian(signal[recorded], axis=1, keepdims=True)
    rest = NUM_SAMPLES - signal.shape[1]
    return np.pad(signal, ((0, 0), (0, rest)), constant_values=np.nan)


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


def _contents(signals: Float32[np.ndarray, "b 12 t"], form: Form) -> list[dict[str, Any]]:
    if form.sheet is None:
        return [{"signal": as_int16(signal)} for signal in signals]
    if form.renderer == "ecg_plot":
        pictures = [_drawn_by_ecg_plot(signal, form.sheet) for signal in signals]
    else:
        pictures = _drawn(signals, form.sheet)
    return [{"image": as_png(picture)} for picture in pictures]


def _drawn(signals: Float32[np.ndarray, "b 12 t"], sheet: Sheet) -> UInt8[np.ndarray, "b h w c"]:
    # One batch size for every call: one compilation.
    filler = np.full((_PICTURES_PER_CALL - len(signals), *signals.shape[1:]), np.nan, np.float32)
    return np.asarray(_drawer(sheet)(np.concatenate([signals, filler])))[: len(signals)]


@functools.cache
def _drawer(sheet: Sheet) -> Callable[[np.ndarray], Any]:
    return make_drawer(sheet, num_samples=NUM_SAMPLES, rate_hz=RATE_HZ)


def _drawn_by_ecg_plot(
    signal: Float32[np.ndarray, "12 t"], sheet: Sheet
) -> UInt8[np.ndarray, "h w c"]:
    # It brings matplotlib, which no other form needs.
    from ecgmae_jax.rendering.ecg_plot_reference import draw_with_ecg_plot

    return draw_with_ecg_plot(
        signal, rate_hz=RATE_HZ, height=sheet.height, width=sheet.width, channels=sheet.channels
    )


def as_int16(signal_mv: Float32[np.ndarray, "l t"]) -> Int16[np.ndarray, "l t"]:
    """Samples in units of UV_PER_LSB, MISSING where NaN; clipped at ±32.767 mV."""
    lsb = np.clip(np.rint(signal_mv * (1000.0 / UV_PER_LSB)), -32767, 32767)
    return np.where(np.isnan(lsb), MISSING, lsb).astype(np.int16)


def as_png(picture: UInt8[np.ndarray, "h w c"]) -> io.BytesIO:
    """The picture as a PNG file, which TFDS stores as it is."""
    file = io.BytesIO()
    # Level 1 is several times faster than the default and costs a few per cent of size.
    Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
        file, format="PNG", compress_level=1
    )
    file.seek(0)
    return file
