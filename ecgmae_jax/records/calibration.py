"""From the converter's integers to millivolts, and the judgement whether that can be an ECG."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Integer

from ecgmae_jax.records.header import SignalLine
from ecgmae_jax.records.leads import FROM_I_AND_II
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.signal_files import SAMPLE_FORMATS

# A coarser step draws stairs; a converter that spans less cannot hold a QRS complex.
_COARSEST_STEP_MV = 0.1
_SMALLEST_SPAN_MV = 0.1
_FLAT_MV = 0.005
# An electrode that comes off swings leads beyond 20 mV for moments (PTB-XL 11813); a wrong
# calibration leaves the whole recording there. No electrode ever reaches a volt.
_LARGE_MV = 20.0
_LARGE_SHARE = 0.1
_IMPOSSIBLE_MV = 1000.0
# Share of a limb lead's spread that may differ from what I and II make of it. A lead under another
# name, turned over or at twice its scale differs by all of it; 531 recordings of nine databases by
# at most 0.05.
_LARGEST_RESIDUAL = 0.25
# Share of the samples that lie at their lead's extremes: at most 0.0062 in 2,992 such recordings.
_CLIPPED_SHARE = 0.2


def verify_samples(
    lines: Sequence[SignalLine], samples: Sequence[Integer[np.ndarray, " _"]], *, record: str
) -> None:
    """Passes when first values and checksums are those of the header, where it has them.

    Raises:
        RejectedRecord: when one differs.
    """
    # Writers that compute neither put 0 everywhere.
    if not any(line.init_value or line.checksum for line in lines):
        return
    for line, values in zip(lines, samples, strict=True):
        # The sum is kept to 16 bits; writers differ on whether these have a sign.
        checksum = int(values.sum(dtype=np.int64)) % 2**16
        if line.checksum is not None and line.checksum % 2**16 != checksum:
            detail = f"{line.name!a}: checksum {checksum}, the header says {line.checksum % 2**16}"
            raise RejectedRecord(record, "bad-checksum", detail)
        if line.init_value is not None and line.init_value != values[0]:
            detail = f"{line.name!a}: first value {values[0]}, the header says {line.init_value}"
            raise RejectedRecord(record, "bad-checksum", detail)


def calibrated(
    lines: Sequence[SignalLine], samples: Sequence[Integer[np.ndarray, " t"]], *, record: str
) -> Float32[np.ndarray, "l t"]:
    """Millivolts, NaN where the format's value for a missing sample stands.

    Args:
        lines: signals in a unit of voltage.
        samples: values of the converter for each of them.
        record: name of the record, for the rejection.

    Raises:
        RejectedRecord: when a gain cannot be that of an ECG.
    """
    rows = []
    for line, values in zip(lines, samples, strict=True):
        present = values != SAMPLE_FORMATS[line.format].missing
        _check_gain(line, values[present], record)
        with np.errstate(over="ignore"):
            row = ((values - np.float64(line.baseline)) / line.gain_per_mv).astype(np.float32)
        rows.append(np.where(present, row, np.float32(np.nan)))
    return np.stack(rows)


def _check_gain(line: SignalLine, values: Integer[np.ndarray, " _"], record: str) -> None:
    # A constant tells nothing of its scale, and wfdb writes a gain of 1 for a lead of zeros.
    if values.size == 0 or values.min() == values.max():
        return
    step_mv = 1 / line.gain_per_mv
    span_mv = step_mv * 2 ** SAMPLE_FORMATS[line.format].bits
    if step_mv > _COARSEST_STEP_MV or span_mv < _SMALLEST_SPAN_MV:
        gain = f"gain {line.gain:g} per {line.unit!a}"
        detail = f"{line.name!a}: {gain}, so steps of {step_mv:g} mV within {span_mv:g} mV"
        raise RejectedRecord(record, "implausible-gain", detail)


def check_ecg(signal_mv: Float32[np.ndarray, "l t"], *, record: str) -> None:
    """Passes when the signal can be an ECG; one flat lead, or several, are no fault.

    Raises:
        RejectedRecord: when no sample is present, no lead moves, voltages are impossible, or leads
            are cut off at the limits of a converter.
    """
    missing = np.isnan(signal_mv)
    if missing.all():
        raise RejectedRecord(record, "all-missing", "not one sample is present")
    largest = np.where(missing, -np.inf, signal_mv).max(axis=1)
    smallest = np.where(missing, np.inf, signal_mv).min(axis=1)
    if max(largest - smallest) < _FLAT_MV:
        detail = f"no lead varies by as much as {1000 * _FLAT_MV:g} microvolt"
        raise RejectedRecord(record, "flat", detail)
    peak = max(largest.max(), -smallest.min())
    large_share = np.mean(np.abs(signal_mv[~missing]) > _LARGE_MV)
    if large_share > _LARGE_SHARE or peak > _IMPOSSIBLE_MV:
        detail = f"up to {peak:g} mV, {large_share:.0%} of the samples beyond {_LARGE_MV:g} mV"
        raise RejectedRecord(record, "implausible-amplitude", detail)
    moving = largest - smallest >= _FLAT_MV
    limits = smallest[moving, None], largest[moving, None]
    at_limits = (signal_mv[moving] == limits[0]) | (signal_mv[moving] == limits[1])
    clipped_share = np.mean(at_limits[~missing[moving]])
    if clipped_share > _CLIPPED_SHARE:
        detail = f"{clipped_share:.0%} of the samples at the lowest or highest value of their lead"
        raise RejectedRecord(record, "clipped", detail)


def check_limb_leads(
    signal_mv: Float32[np.ndarray, "l t"], leads: tuple[str, ...], *, record: str
) -> None:
    """Passes when III, aVR, aVL and aVF, where recorded, are what I and II make of them.

    Leads that are off are not compared.

    Args:
        signal_mv: one row for each lead.
        leads: standard names.
        record: name of the record, for the rejection.

    Raises:
        RejectedRecord: when leads have changed names or one of them has another scale.
    """
    rows = {lead: row for lead, row in zip(leads, signal_mv, strict=True) if _moves(row)}
    for lead, (weight_i, weight_ii) in FROM_I_AND_II.items():
        if not {"I", "II", lead} <= set(rows):
            continue
        expected = weight_i * rows["I"] + weight_ii * rows["II"]
        present = ~np.isnan(expected - rows[lead])
        if not present.any():
            continue
        residual = _spread((rows[lead] - expected)[present])
        scale = _spread(expected[present])
        if residual > max(_LARGEST_RESIDUAL * scale, _FLAT_MV):
            detail = f"{residual:.3g} mV between {lead} and what I and II make it, {scale:.3g} mV"
            raise RejectedRecord(record, "limb-leads-disagree", detail)


def _moves(row: Float32[np.ndarray, " t"]) -> bool:
    present = row[~np.isnan(row)]
    return bool(present.size) and float(np.ptp(present)) >= _FLAT_MV


def _spread(values: Float32[np.ndarray, " t"]) -> float:
    # Recorders differ in where they put zero, and moments of disturbance are no fault of a lead.
    return float(np.quantile(np.abs(values - np.median(values)), 0.9))
