"""Recordings from WFDB files, local ones only: checked before wfdb reads them, and afterwards."""

import codecs
import math
import os
import pathlib

import numpy as np
import wfdb

from ecgmae_jax.records.calibration import (
    calibrated,
    check_ecg,
    check_limb_leads,
    verify_samples,
)
from ecgmae_jax.records.diagnoses import header_fields, parse_age, parse_diagnoses, parse_sex
from ecgmae_jax.records.header import RATE_LIMITS_HZ, Header, parse_header
from ecgmae_jax.records.leads import canonical_lead, complete_limb_leads
from ecgmae_jax.records.recording import Recording, RejectedRecord
from ecgmae_jax.records.signal_files import check_signal_files, require_regular_file

_MAX_HEADER_BYTES = 2**20


def read_recording(
    header_path: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str],
    source: str,
    patient_id: str | None = None,
) -> Recording:
    """The recording that a WFDB header describes, every stated property of its files verified.

    Signals that are none of the twelve standard leads are left out; missing limb leads are derived
    from I and II. Initial values and checksums are compared wherever the header has them.

    Args:
        header_path: a `.hea` file; the signal files it names must lie in its own folder.
        root: folder that the header must not lead out of.
        source: name of the data set.
        patient_id: who it is; by default the header's `<subject_id>`, else the record itself.

    Raises:
        RejectedRecord: for every fault of the files.
    """
    path = pathlib.Path(os.path.abspath(header_path))
    record = path.stem
    # fsspec, which opens files for wfdb, takes both for remote file systems.
    if any(mark in f"{header_path}{path}" for mark in ("://", "::")):
        raise RejectedRecord(record, "unsafe-path", "an address, expected a local file")
    try:
        header = _read_header(path, root=pathlib.Path(root), record=record)
        leads = _ecg_leads(header, record)
        check_signal_files(header, folder=path.parent, record=record)
        samples = _read_samples(path, header, record)
        verify_samples(header.signals, samples, record=record)
        lines = [header.signals[index] for index in leads.values()]
        signal = calibrated(lines, [samples[index] for index in leads.values()], record=record)
        check_ecg(signal, record=record)
        check_limb_leads(signal, tuple(leads), record=record)
    except (OSError, MemoryError) as error:
        raise RejectedRecord(record, "unreadable", _one_line(error)) from error
    signal, names = complete_limb_leads(signal, tuple(leads))
    fields = header_fields(header.comments)
    return Recording(
        signal_mv=signal,
        rate_hz=header.frame_rate_hz * lines[0].samples_per_frame,
        leads=names,
        record_id=record,
        patient_id=patient_id or fields.get("subject_id") or record,
        source=source,
        diagnoses=parse_diagnoses(fields.get("dx", "")),
        age_years=parse_age(fields.get("age", "")),
        sex=parse_sex(fields.get("sex", fields.get("gender", ""))),
    )


def _read_header(path: pathlib.Path, *, root: pathlib.Path, record: str) -> Header:
    if path.suffix != ".hea":
        raise RejectedRecord(record, "unsafe-path", "expected a local file that ends in .hea")
    size = require_regular_file(path, inside=root, record=record)
    if size > _MAX_HEADER_BYTES:
        detail = f"a header of {size} bytes, expected at most {_MAX_HEADER_BYTES}"
        raise RejectedRecord(record, "bad-header", detail)
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return parse_header(text, record=record)


def _ecg_leads(header: Header, record: str) -> dict[str, int]:
    """Index of the signal that holds each standard lead."""
    leads: dict[str, int] = {}
    for index, line in enumerate(header.signals):
        lead = canonical_lead(line.name)
        if lead in leads:
            raise RejectedRecord(record, "duplicate-lead", f"lead {lead} is there twice")
        if lead is not None:
            leads[lead] = index
    if not leads:
        raise RejectedRecord(record, "no-ecg-lead", "none of the twelve standard leads")
    lines = [header.signals[index] for index in leads.values()]
    for line in lines:
        if math.isnan(line.gain_per_mv):
            detail = f"lead {line.name!a} in {line.unit!a}, expected mV, uV or V"
            raise RejectedRecord(record, "unknown-unit", detail)
    if len({line.samples_per_frame for line in lines}) > 1:
        raise RejectedRecord(record, "mixed-rates", "leads with different sampling rates")
    rate_hz = header.frame_rate_hz * lines[0].samples_per_frame
    if rate_hz > RATE_LIMITS_HZ[1]:
        detail = f"sampling rate {rate_hz:g}, expected at most {RATE_LIMITS_HZ[1]:g} Hz"
        raise RejectedRecord(record, "implausible-rate", detail)
    return leads


def _read_samples(path: pathlib.Path, header: Header, record: str) -> list[np.ndarray]:
    """What wfdb finds in the signal files: integers, one array for each signal."""
    try:
        read = wfdb.rdrecord(
            str(path.with_suffix("")), physical=False, smooth_frames=False, return_res=32
        )
    except Exception as error:
        raise RejectedRecord(record, "unreadable", _one_line(error)) from error
    seen = zip(read.file_name, read.fmt, read.byte_offset, read.samps_per_frame, strict=True)
    agreed = [
        (line.file_name, line.format, line.byte_offset, line.samples_per_frame)
        for line in header.signals
    ]
    lengths = [line.samples_per_frame * header.num_frames for line in header.signals]
    if [(name, fmt, offset or 0, frame or 1) for name, fmt, offset, frame in seen] != agreed or [
        len(samples) for samples in read.e_d_signal
    ] != lengths:
        raise RejectedRecord(record, "bad-header", "wfdb understands the header differently")
    return read.e_d_signal


def _one_line(error: Exception) -> str:
    # Without the text of the error: wfdb's holds paths, and paths hold names of people.
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"reading stopped with {type(error).__name__}"
