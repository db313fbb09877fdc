import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.records.recording import Recording
from ecgmae_jax.records.segments import cut_segments, window_starts


def make_recording(num_samples: int, *, rate_hz: float, leads=STANDARD_LEADS) -> Recording:
    signal = np.tile(np.arange(num_samples, dtype=np.float32), (len(leads), 1))
    return Recording(signal, rate_hz, leads, "r", "p", "s", (), 50.0, "male")


@pytest.mark.parametrize(
    ("num_samples", "rate_hz", "starts"),
    [
        (5000, 500.0, [0]),
        (4999, 500.0, [0]),
        (7499, 500.0, [0]),
        (7500, 500.0, [0, 2500]),
        (12499, 500.0, [0, 5000]),
        (12500, 500.0, [0, 5000, 7500]),
        (3000, 500.0, [0]),
    ],
)
def test_windows_follow_each_other_and_a_long_tail_is_kept(num_samples, rate_hz, starts):
    segments = cut_segments(make_recording(num_samples, rate_hz=rate_hz))
    assert [round(segment.start_s * rate_hz) for segment in segments] == starts
    assert [segment.index for segment in segments] == list(range(len(starts)))
    for segment, start in zip(segments, starts, strict=True):
        assert segment.signal_mv.shape == (12, min(num_samples, 5000))
        assert segment.signal_mv[0, 0] == start


def test_half_an_hour_at_257_hz_gives_180_pictures():
    segments = cut_segments(make_recording(462_600, rate_hz=257.0, leads=("I",)))
    assert len(segments) == 180
    assert {segment.signal_mv.shape for segment in segments} == {(12, 2570)}
    assert segments[-1].start_s == 1790.0


def test_a_window_of_no_whole_number_of_samples_is_rounded():
    segments = cut_segments(make_recording(1000, rate_hz=257.5), window_s=1.3)
    assert {segment.signal_mv.shape[1] for segment in segments} == {335}
    assert [round(segment.start_s * 257.5) for segment in segments] == [0, 335, 665]


@given(num_samples=st.integers(1, 500), window=st.integers(1, 60))
def test_windows_stay_inside_and_lose_less_than_half_a_window(num_samples, window):
    starts = window_starts(num_samples, window=window)
    covered = np.zeros(num_samples, int)
    for start in starts:
        covered[start : start + window] += 1
    assert starts[0] == 0
    assert num_samples <= window or starts[-1] + window <= num_samples
    assert np.sum(covered == 0) * 2 < window
    assert np.sum(covered > 1) * 2 <= window
    assert covered.max() <= 2


def test_windows_without_a_sample_are_left_out_and_numbering_shows_it():
    recording = make_recording(3000, rate_hz=100.0)
    recording.signal_mv[:, 1000:2000] = np.nan
    assert [segment.index for segment in cut_segments(recording)] == [0, 2]


def test_a_window_below_one_sample_is_refused():
    with pytest.raises(ValueError, match="window=0 must both be at least 1"):
        cut_segments(make_recording(100, rate_hz=100.0), window_s=0.001)
