import dataclasses
import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from data_builders.contents import MISSING, Form, as_int16, as_png
from data_builders.examples import Entry, examples_of, group_of
from ecgmae_jax.records.wfdb_writer import write_recording
from ecgmae_jax.rendering.named_sheets import make_sheet

SMALL = make_sheet(height=48, width=64)


def _entry(header, **fields):
    name = header.stem
    return Entry(header, header.parent, "test", record_id=name, patient_id=f"p-{name}", **fields)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, make_recording):
    """Entries of 10 s at 500 Hz, 26 s at 257 Hz, 6 s at 1000 Hz, and a broken one."""
    folder = tmp_path_factory.mktemp("recorded")
    recordings = [
        make_recording("plain", rate_hz=500.0, seconds=10.0, diagnoses=("426783006",)),
        make_recording("long", rate_hz=257.0, seconds=26.0),
        make_recording("short", rate_hz=1000.0, seconds=6.0),
    ]
    entries = [_entry(write_recording(folder, recording)) for recording in recordings]
    (folder / "broken.hea").write_text("nonsense\n")
    return [*entries, _entry(folder / "broken.hea")]


def test_group_is_the_start_of_the_sha256_of_source_and_patient():
    assert group_of("georgia", "E1") == hashlib.sha256(b"georgia/E1").hexdigest()[:16]


def test_int16_keeps_microvolts_gaps_and_the_sign_of_clipped_samples():
    signal = np.float32([[0.0, 0.001, -1.5, 40.0, -40.0, np.nan]])
    assert as_int16(signal).tolist() == [[0, 1, -1500, 32767, -32767, -32768]]


@pytest.mark.parametrize("channels", [1, 3])
def test_png_gives_the_picture_back(channels):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    decoded = np.asarray(Image.open(io.BytesIO(as_png(picture).getvalue())))
    np.testing.assert_array_equal(decoded.reshape(5, 7, channels), picture)


def test_every_window_becomes_an_example_and_every_refusal_is_told(recorded):
    made, account = examples_of(recorded, form=Form())
    keys = [key for key, _ in made]
    assert keys == [
        "test/plain/00000",
        "test/long/00000",
        "test/long/00001",
        "test/long/00002",
        "test/short/00000",
    ]
    assert [example["start_s"] for _, example in made] == pytest.approx([0, 0, 10, 16, 0])
    tally = account.total()
    assert (tally.read, tally.pictures) == (3, 5)
    assert [(record, code) for record, code, _ in tally.rejections] == [("broken", "bad-header")]
    assert dict(account.counts) == {"at 500 Hz": 1, "at 257 Hz": 1, "at 1000 Hz": 1}


def _centred(signal):
    return signal - np.median(signal, axis=1, keepdims=True)


def test_signal_is_the_recording_in_microvolts_without_its_offsets(recorded, make_recording):
    ((_, example),), _ = examples_of(recorded[:1], form=Form())
    signal = _centred(make_recording("plain", rate_hz=500.0, seconds=10.0).signal_mv)
    # Written, centred and stored: three roundings of half a microvolt.
    np.testing.assert_allclose(example["signal"], 1000 * signal, atol=1.51)
    assert example["original_rate_hz"] == 500.0


def test_a_lead_without_samples_stays_missing(tmp_path, make_recording):
    recording = make_recording("gap", rate_hz=500.0, seconds=10.0)
    recording.signal_mv[8] = np.nan
    ((_, example),), _ = examples_of([_entry(write_recording(tmp_path, recording))], form=Form())
    missing = example["signal"] == MISSING
    assert missing.all(axis=1).tolist() == [lead == 8 for lead in range(12)]


def test_other_rates_are_resampled_to_500_hz(recorded, make_recording):
    made, _ = examples_of(recorded[1:2], form=Form())
    # The smooth waves of the recording, seen 500 times a second.
    denser = _centred(make_recording("long", rate_hz=500.0, seconds=26.0).signal_mv[:, 5000:10000])
    middle = made[1][1]["signal"][:, 500:-500]
    np.testing.assert_allclose(middle, 1000 * denser[:, 500:-500], atol=3)


def test_a_short_recording_ends_in_missing_samples(recorded):
    ((_, example),), _ = examples_of(recorded[2:3], form=Form())
    missing = example["signal"] == MISSING
    assert not missing[:, :3000].any()
    assert missing[:, 3001:].all()


def test_sheet_and_signal_differ_in_the_content_alone(recorded):
    sheets, _ = examples_of(recorded, form=Form((SMALL,)))
    signals, _ = examples_of(recorded, form=Form())
    for (sheet_key, sheet), (signal_key, signal) in zip(sheets, signals, strict=True):
        assert sheet_key == signal_key
        shared = sheet.keys() - {"image", "ink_outside"}
        assert shared == signal.keys() - {"signal"}
        assert all(sheet[name] == signal[name] for name in shared)


def test_pictures_do_not_depend_on_how_the_work_is_divided(recorded):
    together, _ = examples_of(recorded, form=Form((SMALL,)))
    alone = [pair for entry in recorded for pair in examples_of([entry], form=Form((SMALL,)))[0]]
    for (key, one), (other_key, other) in zip(together, alone, strict=True):
        assert key == other_key
        assert one["image"].getvalue() == other["image"].getvalue()


def test_a_picture_shows_ink_only_where_the_recording_lasts(recorded):
    ((_, full),), _ = examples_of(
        recorded[:1], form=Form((make_sheet("12x1", height=96, width=128),))
    )
    ((_, short),), _ = examples_of(
        recorded[2:3], form=Form((make_sheet("12x1", height=96, width=128),))
    )
    strip = make_sheet("12x1", height=96, width=128).strips[0]
    px_per_mm = make_sheet("12x1", height=96, width=128).px_per_mm
    column = round((strip.x_mm + 0.8 * strip.width_mm) * px_per_mm)
    darkness = [
        255.0 - np.asarray(Image.open(example["image"]))[:, column : column + 8].mean()
        for example in (full, short)
    ]
    assert darkness[0] > darkness[1] + 5


def test_ecg_plot_draws_the_reference(recorded):
    form = Form((make_sheet("6x2", height=64, width=96, channels=3),), "ecg_plot")
    ((_, example),), _ = examples_of(recorded[:1], form=form)
    picture = np.asarray(Image.open(example["image"]))
    assert picture.shape == (64, 96, 3)
    # Blue ink on a red grid: neither is grey.
    assert np.ptp(picture.astype(int), axis=-1).max() > 20


def test_labels_and_table_facts_join_the_example(recorded):
    entry = _entry(recorded[0].header, features={"sex": "male", "strat_fold": 3})
    ((_, example),), account = examples_of(
        [entry],
        form=Form(),
        labels_of=lambda recording: {"labels": {"codes": recording.diagnoses}},
        known_codes=frozenset(),
    )
    assert example["sex"] == "male"
    assert example["strat_fold"] == 3
    assert example["labels"] == {"codes": ("426783006",)}
    assert account.counts["with the unlisted diagnosis 426783006"] == 1


def test_random_sheets_and_scans_follow_from_the_example_s_name(recorded):
    sheets = (SMALL, make_sheet("12x1", height=48, width=64))
    form = Form(sheets, scan="scan", seed=3)
    together, _ = examples_of(recorded, form=form)
    alone = [pair for entry in recorded for pair in examples_of([entry], form=form)[0]]
    for (key, example), (same_key, same) in zip(together, alone, strict=True):
        assert key == same_key
        assert example["image"].getvalue() == same["image"].getvalue()
        assert example["layout"] == sheets[example["sheet"]].layout.name
    assert {int(example["sheet"]) for _, example in together} == {0, 1}
    clean, _ = examples_of(recorded, form=Form(sheets, seed=3))
    assert [e["sheet"] for _, e in clean] == [e["sheet"] for _, e in together]
    assert [e["ink_outside"] for _, e in clean] == [e["ink_outside"] for _, e in together]
    assert all(
        a["image"].getvalue() != b["image"].getvalue()
        for (_, a), (_, b) in zip(clean, together, strict=True)
    )


def test_ink_outside_its_band_is_told(tmp_path, make_recording):
    tall = make_recording("tall", rate_hz=500.0, seconds=10.0)
    tall = dataclasses.replace(tall, signal_mv=10 * tall.signal_mv)
    ((_, example),), _ = examples_of([_entry(write_recording(tmp_path, tall))], form=Form((SMALL,)))
    assert 0.05 < example["ink_outside"] < 1
