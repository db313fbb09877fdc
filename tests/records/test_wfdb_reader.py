import numpy as np
import pytest

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording, RejectedRecord
from ecgmae_jax.records.wfdb_reader import read_recording


def read(path, **options) -> Recording:
    return read_recording(path, root=path.parent, source="here", **options)


def rejection(path) -> RejectedRecord:
    with pytest.raises(RejectedRecord) as caught:
        read(path)
    assert caught.value.record == path.stem
    assert str(path.parent) not in caught.value.detail
    assert "\n" not in caught.value.detail
    return caught.value


def test_a_sound_record_is_read_as_written(record_files):
    recording = read(record_files.write())
    np.testing.assert_array_equal(
        recording.signal_mv, (record_files.samples / 1000).astype(np.float32)
    )
    assert recording.signal_mv.dtype == np.float32
    assert recording.leads == STANDARD_LEADS
    assert (recording.rate_hz, recording.duration_s) == (500.0, 2.0)
    assert (recording.record_id, recording.patient_id, recording.source) == ("r", "r", "here")
    assert (recording.diagnoses, recording.age_years, recording.sex) == (
        ("426783006",),
        63.0,
        "female",
    )


def test_nothing_known_of_the_patient(record_files):
    recording = read(record_files.write(comments=("# Age: NaN", "# Sex: Unknown", "# Dx: Unknown")))
    assert np.isnan(recording.age_years)
    assert (recording.sex, recording.diagnoses, recording.patient_id) == ("unknown", (), "r")


def test_the_patient_is_the_one_asked_for_else_the_one_of_the_header(record_files):
    path = record_files.write(comments=("# <subject_id>: 10030753",))
    assert read(path).patient_id == "10030753"
    assert read(path, patient_id="7").patient_id == "7"


def test_leads_in_another_order_and_spelling_come_out_in_standard_order(record_files):
    # aVF before aVL, as in MIMIC-IV-ECG; lower case, as in LUDB.
    names = ["i", "ii", "iii", "avr", "avf", "avl", "v1", "v2", "v3", "v4", "v5", "v6"]
    samples = record_files.samples[[0, 1, 2, 3, 5, 4, *range(6, 12)]]
    recording = read(record_files.write(leads=names, samples=samples))
    assert recording.leads == STANDARD_LEADS
    given = (record_files.samples / 1000).astype(np.float32)
    np.testing.assert_array_equal(recording.signal_mv, given)


def test_other_signals_are_left_out_and_limb_leads_completed(record_files):
    names = ["I", "II", "V1", "vx", "RESP"]
    recording = read(record_files.write(leads=names, samples=record_files.samples[:5]))
    assert recording.leads == (*STANDARD_LEADS[:6], "V1")
    np.testing.assert_allclose(
        recording.signal_mv[2], recording.signal_mv[1] - recording.signal_mv[0], atol=1e-6
    )


def test_baselines_units_and_missing_samples(record_files):
    samples = record_files.samples.copy()
    samples[3, 10:20] = -32768
    line = "r.dat 16 0.5(24)/uV 16 0 {first} {checksum} 0 {lead}"
    signal = read(record_files.write(samples=samples, signal_line=line)).signal_mv
    expected = (samples.astype(np.float64) - 24) / 500
    expected[3, 10:20] = np.nan
    np.testing.assert_allclose(signal, expected, rtol=1e-6)


def test_several_samples_in_a_frame_raise_the_rate(record_files):
    path = record_files.write(
        record_line="r {signals} 250 500",
        signal_line="r.dat 16x2 1000 16 0 {first} {checksum} 0 {lead}",
        data=record_files.samples.reshape(12, 500, 2).transpose(1, 0, 2).astype("<i2").tobytes(),
    )
    recording = read(path)
    assert recording.rate_hz == 500.0
    np.testing.assert_array_equal(
        recording.signal_mv, (record_files.samples / 1000).astype(np.float32)
    )


@pytest.mark.parametrize("rate_hz", [100, 257, 257.5, 1000])
def test_sampling_rates(record_files, rate_hz):
    assert read(record_files.write(record_line=f"r 12 {rate_hz} 1000")).rate_hz == rate_hz


def test_a_checksum_may_have_a_sign(record_files):
    line = "r.dat 16 1000 16 0 {first} {signed_checksum} 0 {lead}"
    assert read(record_files.write(signal_line=line)).signal_mv.shape == (12, 1000)


def test_line_ends_byte_order_mark_and_latin_1_do_not_matter(record_files):
    path = record_files.write()
    content = path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + content + b"#caf\xe9\r\n")
    assert read(path).diagnoses == ("426783006",)


def test_checksums_that_were_never_computed_are_not_compared(record_files):
    line = "r.dat 16 1000 16 0 0 0 0 {lead}"
    assert read(record_files.write(signal_line=line)).leads == STANDARD_LEADS


def test_a_lead_that_is_off_is_no_fault(record_files):
    samples = record_files.samples.copy()
    samples[7] = 0
    samples[8] = -32768
    recording = read(record_files.write(samples=samples))
    np.testing.assert_array_equal(recording.signal_mv[7], 0)
    assert np.isnan(recording.signal_mv[8]).all()


def test_a_moment_beyond_20_mv_is_no_fault(record_files):
    samples = record_files.samples.copy()
    samples[6, 100:200] = 28_000
    assert read(record_files.write(samples=samples)).signal_mv.max() == 28


def spoilt(record_files, fault: str):
    """A record with one fault."""
    samples = record_files.samples
    gain = "r.dat 16 {gain} 16 0 {{first}} {{checksum}} 0 {{lead}}"
    unit = "r.dat 16 1000/{unit} 16 0 {{first}} {{checksum}} 0 {{lead}}"
    changes = {
        "truncated": {"data": samples.T.tobytes()[:-2]},
        "odd": {"data": samples.T.tobytes()[:-1]},
        "empty": {"data": b""},
        "surplus": {"data": samples.T.tobytes() + b"\0\0"},
        "offset": {"signal_line": "r.dat 16+5000 1000 16 0 {first} {checksum} 0 {lead}"},
        "lie": {"record_line": "r 12 500 4000000"},
        "checksum": {"signal_line": "r.dat 16 1000 16 0 {first} 5 0 {lead}"},
        "first": {"signal_line": "r.dat 16 1000 16 0 9999 {checksum} 0 {lead}"},
        "format": {"signal_line": "r.dat 999 1000 16 0 {first} {checksum} 0 {lead}"},
        "flac": {"signal_line": "r.dat 516 1000 16 0 {first} {checksum} 0 {lead}"},
        "wrong format": {"signal_line": "r.dat 212 1000 12 0 {first} {checksum} 0 {lead}"},
        "duplicate": {"leads": ("II", "MLII", *STANDARD_LEADS[2:])},
        "no lead": {"leads": [f"ECG{i}" for i in range(12)]},
        "unit": {"signal_line": unit.format(unit="mmHg")},
        "tiny gain": {"signal_line": gain.format(gain="1e-300")},
        "huge gain": {"signal_line": gain.format(gain="1e300")},
        "small gain": {"signal_line": gain.format(gain="5/mV")},
        "large gain": {"signal_line": gain.format(gain="1000/uV")},
        "missing samples": {"samples": np.full_like(samples, -32768)},
        "flat": {"samples": np.full_like(samples, 7)},
        "nearly flat": {"samples": (samples % 5).astype(np.int16)},
        "voltage": {"signal_line": gain.format(gain="20/mV")},
        "volt": {"signal_line": gain.format(gain="10(-10000000)/mV")},
        "too fast": {
            "record_line": "r {signals} 1000 1000",
            "signal_line": "r.dat 16x6 1000 16 0 {first} {checksum} 0 {lead}",
            "data": samples.T.tobytes() * 6,
        },
    }
    return record_files.write(**changes[fault])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("truncated", "truncated"),
        ("odd", "truncated"),
        ("empty", "truncated"),
        ("surplus", "surplus-data"),
        ("offset", "truncated"),
        ("lie", "truncated"),
        ("checksum", "bad-checksum"),
        ("first", "bad-checksum"),
        ("format", "unsupported-format"),
        ("flac", "unsupported-format"),
        ("wrong format", "surplus-data"),
        ("duplicate", "duplicate-lead"),
        ("no lead", "no-ecg-lead"),
        ("unit", "unknown-unit"),
        ("tiny gain", "implausible-gain"),
        ("huge gain", "implausible-gain"),
        ("small gain", "implausible-gain"),
        ("large gain", "implausible-gain"),
        ("missing samples", "all-missing"),
        ("flat", "flat"),
        ("nearly flat", "flat"),
        ("voltage", "implausible-amplitude"),
        ("volt", "implausible-amplitude"),
        ("too fast", "implausible-rate"),
    ],
)
def test_a_fault_has_its_own_code(record_files, fault, code):
    assert rejection(spoilt(record_files, fault)).code == code


def test_leads_of_different_rates_are_refused(record_files):
    header = record_files.write()
    text = header.read_text().replace("r.dat 16 ", "r.dat 16x2 ", 1)
    header.write_text(text)
    assert rejection(header).code == "mixed-rates"


@pytest.mark.parametrize("old", ["r.dat 16 ", "r.dat 16 1000"])
def test_a_signal_file_with_two_layouts_is_refused(record_files, old):
    header = record_files.write()
    text = header.read_text().replace(old, old.replace("16 ", "16+24 "), 1)
    header.write_text(text)
    assert rejection(header).code == "bad-header"


def test_signals_of_a_file_must_stand_together(record_files):
    header = record_files.write()
    lines = header.read_text().splitlines()
    lines[2] = lines[2].replace("r.dat", "other.dat")
    header.write_text("\n".join(lines))
    assert rejection(header).code == "bad-header"


def test_a_date_that_wfdb_cannot_read_is_a_rejection(record_files):
    header = record_files.write(record_line="r 12 500 1000 25:61:61 99/99/9999")
    rejected = rejection(header)
    assert (rejected.code, rejected.detail) == ("unreadable", "reading stopped with ValueError")
