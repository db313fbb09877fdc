"""A strict reading of WFDB headers, done before wfdb sees the record.

wfdb replaces what it cannot read by defaults: a gain of `nan` becomes 200, a missing sampling rate
250, or takes the length in its place. Here every doubt is a rejection. Grammar: header(5) of the
WFDB Applications Guide, https://physionet.org/physiotools/wag/header-5.htm.
"""

import dataclasses
import math
import re

from ecgmae_jax.records.recording import RejectedRecord

MAX_SIGNALS = 64
RATE_LIMITS_HZ = (50.0, 5000.0)
LENGTH_LIMITS_S = (1.0, 86_400.0)
# Twelve leads of a day at 128 Hz, or of six hours at 500 Hz; reading them takes about 2 GB.
MAX_SAMPLES = 2**27
_QUOTED_LENGTH = 60

_RECORD_LINE = re.compile(
    r"""(?P<name>[-\w]+) (?P<segments>/\d+)? \s+
        (?P<signals>\d{1,9})
        (?: \s+ (?P<rate>[^\s/]+) (?:/\S*)?
        (?: \s+ (?P<samples>\d{1,15}) (?: \s .* )? )? )?""",
    re.VERBOSE | re.ASCII,
)
_FILE_NAME = re.compile(r"[-\w]+(?:\.\w+)?", re.ASCII)
_LAYOUT = re.compile(
    r"""(?P<format>\d{1,4}) (?:x(?P<frame>\d{1,4}))?
        (?: :(?P<skew>\d{1,9}))? (?:\+(?P<offset>\d{1,12}))?""",
    re.VERBOSE | re.ASCII,
)
_GAIN = re.compile(r"(?P<gain>[^(/]*)(?:\((?P<baseline>[^)]*)\))?(?:/(?P<unit>\S+))?")
_INTEGER = re.compile(r"[-+]?\d{1,12}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)
_MV_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "v": 1e3}


@dataclasses.dataclass(frozen=True)
class SignalLine:
    """One signal as its header line describes it; `init_value`, `checksum` None when not given."""

    file_name: str
    format: str
    samples_per_frame: int
    byte_offset: int
    gain: float
    baseline: int
    unit: str
    init_value: int | None
    checksum: int | None
    name: str

    @property
    def gain_per_mv(self) -> float:
        """Steps of the converter for one millivolt; NaN when the unit is no voltage."""
        return self.gain / _MV_PER_UNIT.get(self.unit.casefold(), math.nan)


@dataclasses.dataclass(frozen=True)
class Header:
    """A single-segment header; `num_frames` at `frame_rate_hz`, and comments without their `#`."""

    frame_rate_hz: float
    num_frames: int
    signals: tuple[SignalLine, ...]
    comments: tuple[str, ...]


def parse_header(text: str, *, record: str) -> Header:
    """The header of a record, complete and within its limits.

    Raises:
        RejectedRecord: at the first thing that is missing, malformed or implausible.
    """
    lines = [line.strip() for line in text.splitlines()]
    comments = tuple(line[1:].strip() for line in lines if line.startswith("#"))
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise RejectedRecord(record, "bad-header", "the header is empty")
    num_signals, rate_hz, num_frames = _parse_record_line(lines[0], record)
    if len(lines) - 1 != num_signals:
        detail = f"the header promises {num_signals} signals and describes {len(lines) - 1}"
        raise RejectedRecord(record, "bad-header", detail)
    signals = tuple(_parse_signal_line(line, record) for line in lines[1:])
    num_samples = num_frames * sum(line.samples_per_frame for line in signals)
    if num_samples > MAX_SAMPLES:
        detail = f"{num_samples} samples, up to {MAX_SAMPLES} are read"
        raise RejectedRecord(record, "too-large", detail)
    return Header(rate_hz, num_frames, signals, comments)


def _parse_record_line(line: str, record: str) -> tuple[int, float, int]:
    match = _RECORD_LINE.fullmatch(line)
    if match is None:
        raise RejectedRecord(record, "bad-header", f"not a record line: {_quote(line)}")
    if match["segments"]:
        raise RejectedRecord(record, "multi-segment", "records of several segments are not read")
    # Two headers that changed places would give each patient the other's ECG.
    if match["name"] != record:
        detail = f"the header is that of record {_quote(match['name'])}"
        raise RejectedRecord(record, "bad-header", detail)
    num_signals = int(match["signals"])
    if not 1 <= num_signals <= MAX_SIGNALS:
        detail = f"{num_signals} signals, expected 1 to {MAX_SIGNALS}"
        raise RejectedRecord(record, "implausible-signal-count", detail)
    if match["samples"] is None:
        detail = f"no sampling rate or no length in {_quote(line)}"
        raise RejectedRecord(record, "bad-header", detail)
    rate_hz = _number(match["rate"])
    low, high = RATE_LIMITS_HZ
    if not low <= rate_hz <= high:
        detail = f"sampling rate {_quote(match['rate'])}, expected {low:g} to {high:g} Hz"
        raise RejectedRecord(record, "implausible-rate", detail)
    num_frames = int(match["samples"])
    low, high = LENGTH_LIMITS_S
    if not low <= num_frames / rate_hz <= high:
        detail = f"{num_frames / rate_hz:g} s long, expected {low:g} to {high:g} s"
        raise RejectedRecord(record, "implausible-length", detail)
    return num_signals, rate_hz, num_frames


def _parse_signal_line(line: str, record: str) -> SignalLine:
    # The description is the rest of the line and may hold blanks.
    file_name, *rest = line.split(maxsplit=8)
    layout_text, gain_text, *numbers, name = rest + [""] * (8 - len(rest))
    if not _FILE_NAME.fullmatch(file_name):
        detail = f"signal file {_quote(file_name)}, expected a plain file name"
        raise RejectedRecord(record, "unsafe-path", detail)
    malformed = RejectedRecord(record, "bad-header", f"not a signal line: {_quote(line)}")
    layout = _LAYOUT.fullmatch(layout_text)
    calibration = _GAIN.fullmatch(gain_text)
    if layout is None or calibration is None or int(layout["frame"] or 1) == 0:
        raise malformed
    try:
        _, adc_zero, init_value, checksum, _ = map(_integer, numbers)
        baseline = _integer(calibration["baseline"] or "")
    except ValueError as error:
        raise malformed from error
    if int(layout["skew"] or 0):
        detail = f"skew {layout['skew']} for {_quote(name)}, only aligned signals are read"
        raise RejectedRecord(record, "skewed-signals", detail)
    gain = _number(calibration["gain"])
    if not 0 < gain < math.inf:
        detail = f"gain {_quote(gain_text)} for {_quote(name)}, expected a positive number"
        raise RejectedRecord(record, "implausible-gain", detail)
    return SignalLine(
        file_name=file_name,
        format=layout["format"],
        samples_per_frame=int(layout["frame"] or 1),
        byte_offset=int(layout["offset"] or 0),
        gain=gain,
        # header(5): the baseline is the ADC zero where it is not given, and that is 0.
        baseline=baseline if baseline is not None else adc_zero or 0,
        unit=calibration["unit"] or "mV",
        init_value=init_value,
        checksum=checksum,
        name=name,
    )


def _integer(text: str) -> int | None:
    if text and not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text) if text else None


def _number(text: str) -> float:
    """A decimal number, NaN when the text is none; `nan`, `inf` and `1_0` are none."""
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def _quote(text: str) -> str:
    return ascii(text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}...")
