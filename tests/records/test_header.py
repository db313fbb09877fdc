import math

import pytest

from ecgmae_jax.records.header import Header, parse_header
from ecgmae_jax.records.recording import RejectedRecord

SIGNAL = "a.dat 16 1000(-5)/mV 16 0 28 -1716 0 MDC ECG II"


def parse_signal(line: str):
    return parse_header(f"a 1 500 5000\n{line}\n", record="a").signals[0]


def rejection(text: str) -> RejectedRecord:
    with pytest.raises(RejectedRecord) as caught:
        parse_header(text, record="a")
    assert caught.value.record == "a"
    assert "\n" not in caught.value.detail
    return caught.value


def test_every_field_of_a_header_is_read():
    header = parse_header(f"a 1 257.5/1000(3) 5000 10:11:12 01/02/2003\n{SIGNAL}\n", record="a")
    assert isinstance(header, Header)
    assert (header.frame_rate_hz, header.num_frames) == (257.5, 5000)
    (line,) = header.signals
    assert (line.file_name, line.format, line.samples_per_frame, line.byte_offset) == (
        ("a.dat", "16", 1, 0)
    )
    assert (line.gain, line.baseline, line.unit, line.gain_per_mv) == (1000.0, -5, "mV", 1000.0)
    assert (line.init_value, line.checksum, line.name) == (28, -1716, "MDC ECG II")


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        (f"#before\n\na 1 500 5000\n{SIGNAL}\n# after", ("before", "after")),
        (f"a 1 500 5000\r\n{SIGNAL}\r\n#Dx: 1\r\n", ("Dx: 1",)),
        (f"a 1 500 5000 05-May-2020 09:49:17\n{SIGNAL}", ()),
    ],
)
def test_blank_lines_comments_line_ends_and_dates_do_not_matter(text, comments):
    assert parse_header(text, record="a").comments == comments


@pytest.mark.parametrize(
    ("line", "baseline"),
    [("a.dat 212 200 11 1024 995 -22131 0 II", 1024), ("a.dat 16 200(7) 16 1024 0 0 0 II", 7)],
)
def test_the_baseline_is_the_adc_zero_unless_given(line, baseline):
    assert parse_signal(line).baseline == baseline


@pytest.mark.parametrize(
    ("gain", "per_mv"),
    [
        ("1000/mV", 1000.0),
        ("1000/mv", 1000.0),
        ("1000", 1000.0),
        ("1/uV", 1000.0),
        ("2/µV", 2000.0),
        ("1e6/V", 1000.0),
        ("10/mmHg", math.nan),
    ],
)
def test_units_become_millivolts(gain, per_mv):
    assert parse_signal(f"a.dat 16 {gain} 16 0 0 0 0 II").gain_per_mv == pytest.approx(
        per_mv, nan_ok=True
    )


def test_format_with_everything_attached():
    line = parse_signal("a.dat 212x4:0+24 1000 12 0 0 0 0 II")
    assert (line.format, line.samples_per_frame, line.byte_offset) == ("212", 4, 24)


def test_absent_fields_at_the_end_are_unknown():
    line = parse_signal("a.dat 16 200")
    assert (line.baseline, line.init_value, line.checksum, line.name) == (0, None, None, "")


@pytest.mark.parametrize(
    ("record_line", "code", "words"),
    [
        ("", "bad-header", "empty"),
        ("a", "bad-header", "record line"),
        ("a x 500 5000", "bad-header", "record line"),
        ("a -1 500 5000", "bad-header", "record line"),
        ("../a 1 500 5000", "bad-header", "record line"),
        ("a b 1 500 5000", "bad-header", "record line"),
        ("a 1 500 " + "9" * 5000, "bad-header", "record line"),
        ("a 1", "bad-header", "no sampling rate or no length"),
        ("a 1 5000", "bad-header", "no sampling rate or no length"),
        ("a 2 500 5000", "bad-header", "promises 2 signals and describes 1"),
        ("a/2 1 500 5000", "multi-segment", "several segments"),
        ("a 0 500 5000", "implausible-signal-count", "0 signals"),
        ("a 1000000 500 5000", "implausible-signal-count", "1 to 64"),
        ("a 1 nan 5000", "implausible-rate", "50 to 5000 Hz"),
        ("a 1 inf 5000", "implausible-rate", "'inf'"),
        ("a 1 -500 5000", "implausible-rate", "'-500'"),
        ("a 1 0 5000", "implausible-rate", "'0'"),
        ("a 1 abc 5000", "implausible-rate", "'abc'"),
        ("a 1 5_00 5000", "implausible-rate", "'5_00'"),
        ("a 1 49.9 5000", "implausible-rate", "'49.9'"),
        ("a 1 5001 50000", "implausible-rate", "'5001'"),
        ("a 1 500 0", "implausible-length", "0 s long"),
        ("a 1 500 499", "implausible-length", "1 to 86400 s"),
        ("a 1 500 100000000000", "implausible-length", "2e+08 s long"),
    ],
)
def test_a_doubtful_record_line_is_a_rejection(record_line, code, words):
    rejected = rejection(f"{record_line}\n{SIGNAL if record_line else ''}\n")
    assert rejected.code == code
    assert words in rejected.detail


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a.dat", "bad-header"),
        ("a.dat 16x0 1000 16 0 0 0 0 II", "bad-header"),
        ("a.dat 16+ 1000 16 0 0 0 0 II", "bad-header"),
        ("a.dat x16 1000 16 0 0 0 0 II", "bad-header"),
        ("a.dat 16 1000(x)/mV 16 0 0 0 0 II", "bad-header"),
        ("a.dat 16 1000/mV 16 0 zero 0 0 II", "bad-header"),
        ("a.dat 16 1000/mV 16 0 0 1.5 0 II", "bad-header"),
        ("a.dat 16 1000/mV II", "bad-header"),
        ("a.dat 16:99999 1000 16 0 0 0 0 II", "skewed-signals"),
        ("a.dat 16", "implausible-gain"),
        ("a.dat 16 0 16 0 0 0 0 II", "implausible-gain"),
        ("a.dat 16 nan/mV 16 0 0 0 0 II", "implausible-gain"),
        ("a.dat 16 inf/mV 16 0 0 0 0 II", "implausible-gain"),
        ("a.dat 16 abc/mV 16 0 0 0 0 II", "implausible-gain"),
        ("a.dat 16 -1000/mV 16 0 0 0 0 II", "implausible-gain"),
        ("a.dat 16 1e999/mV 16 0 0 0 0 II", "implausible-gain"),
        ("../a.dat 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("/etc/passwd 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("https://host/a.dat 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("x::http://host 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("s3://bucket/a.dat 16 1000 16 0 0 0 0 II", "unsafe-path"),
        (".. 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("~ 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("a\x00.dat 16 1000 16 0 0 0 0 II", "unsafe-path"),
        ("ä.dat 16 1000 16 0 0 0 0 II", "unsafe-path"),
    ],
)
def test_a_doubtful_signal_line_is_a_rejection(line, code):
    assert rejection(f"a 1 500 5000\n{line}\n").code == code
