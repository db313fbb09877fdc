import numpy as np
import pytest

from data_builders.simulated_ecg import rhythm

SECONDS = 10.0


def sinus(seed=0, *, rate_bpm=75.0, breathing=0.0, seconds=SECONDS):
    return rhythm.sinus_beats(
        np.random.default_rng(seed),
        rate_bpm=rate_bpm,
        breathing=breathing,
        breaths_hz=0.25,
        seconds=seconds,
    )


def onsets(beats, kind="conducted"):
    return np.array([beat.onset_s for beat in beats if beat.kind == kind])


@pytest.mark.parametrize("rate_bpm", [40.0, 75.0, 150.0])
def test_sinus_beats_keep_their_rate_and_cover_more_than_the_recording(rate_bpm):
    beats = sinus(rate_bpm=rate_bpm, seconds=60.0)
    intervals = np.diff(onsets(beats))
    assert intervals.mean() == pytest.approx(60 / rate_bpm, rel=0.01)
    assert intervals.std() / intervals.mean() < 0.01
    assert beats[0].onset_s < 0.0
    assert beats[-1].onset_s > 60.0
    np.testing.assert_allclose([beat.rr_s for beat in beats[1:]], intervals, rtol=1e-9)


def test_breathing_swings_the_interval_at_its_own_frequency():
    beats = sinus(breathing=0.08, seconds=240.0)
    time_s, intervals = onsets(beats)[1:], np.diff(onsets(beats))
    frequencies = np.linspace(0.18, 0.4, 45)
    power = [
        abs(np.sum((intervals - intervals.mean()) * np.exp(-2j * np.pi * f * time_s)))
        for f in frequencies
    ]
    assert frequencies[np.argmax(power)] == pytest.approx(0.25, abs=0.01)
    assert 0.05 < intervals.std() / intervals.mean() < 0.08


def test_fibrillation_is_irregular_without_memory():
    beats = rhythm.fibrillation_beats(
        np.random.default_rng(1), rate_bpm=90.0, irregularity=0.22, seconds=2000.0
    )
    intervals = np.diff(onsets(beats))
    assert intervals.mean() == pytest.approx(60 / 90, rel=0.02)
    assert intervals.std() / intervals.mean() == pytest.approx(0.22, rel=0.05)
    assert intervals.min() >= 0.3
    assert abs(np.corrcoef(intervals[1:], intervals[:-1])[0, 1]) < 0.06


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [1, 3])
def test_premature_beats_come_early_and_are_followed_by_a_compensatory_pause(seed, count):
    before = sinus(seed)
    beats = rhythm.with_premature_beats(
        np.random.default_rng(seed), before, count=count, coupling=0.6, pr_s=0.16, seconds=SECONDS
    )
    ectopic = onsets(beats, "ectopic")
    conducted = onsets(beats)
    assert len(ectopic) == len(onsets(beats, "blocked")) == count
    assert np.all((ectopic > 0) & (ectopic < SECONDS))
    np.testing.assert_array_equal(
        np.sort(np.concatenate([conducted, onsets(beats, "blocked")])), onsets(before)
    )
    for premature in ectopic:
        last, following = conducted[conducted < premature][-1], conducted[conducted > premature][0]
        assert premature - last == pytest.approx(0.6 * 0.8, abs=0.04)
        # The pause is fully compensatory: two sinus intervals around the premature beat.
        assert following - last == pytest.approx(1.6, abs=0.05)


def test_the_blocked_p_wave_lies_within_the_premature_beat():
    beats = rhythm.with_premature_beats(
        np.random.default_rng(0), sinus(), count=3, coupling=0.9, pr_s=0.2, seconds=SECONDS
    )
    p_waves = onsets(beats, "blocked") - 0.2
    assert np.all(p_waves - onsets(beats, "ectopic") > 0.0)
