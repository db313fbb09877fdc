"""Rates and intervals, measured on the leads as a reader would, before noise."""

import functools

import numpy as np
import pytest

from data_builders.simulated_ecg.conditions import CONDITIONS
from data_builders.simulated_ecg.patients import draw_patient
from data_builders.simulated_ecg.simulator import simulate_session

RATE_HZ = 500.0
NUM_PATIENTS = 24
BY_NAME = {condition.name: condition for condition in CONDITIONS}
II, V4 = 1, 9


@functools.cache
def visits(name):
    """Patient and first visit of NUM_PATIENTS patients with a condition."""
    patients = [draw_patient(BY_NAME[name], seed=(7, number)) for number in range(NUM_PATIENTS)]
    return [(patient, simulate_session(patient, number=0)) for patient in patients]


def onsets(session, kind="conducted"):
    return [b.onset_s for b in session.beats if b.kind == kind and 0.5 < b.onset_s < 9.0]


def steepness(signal, onset_s, *, from_s=-0.06, to_s=0.24):
    """Steepest slope of any lead around a QRS complex, mV/s, and the time of the first value."""
    first, last = round((onset_s + from_s) * RATE_HZ), round((onset_s + to_s) * RATE_HZ)
    return np.abs(np.diff(signal[:, first:last], axis=1)).max(axis=0) * RATE_HZ, first / RATE_HZ


def qrs_limits(signal, onset_s):
    """Onset and end of a QRS complex in seconds: where the slopes rise and die down."""
    slope, start_s = steepness(signal, onset_s)
    steep = np.flatnonzero(slope > max(0.08 * slope.max(), 3.0))
    # The complex is the run of steep samples around its steepest one, gaps under 30 ms allowed.
    runs = np.split(steep, np.flatnonzero(np.diff(steep) > 0.030 * RATE_HZ) + 1)
    run = next(run for run in runs if run[0] <= np.argmax(slope) <= run[-1])
    return start_s + run[0] / RATE_HZ, start_s + (run[-1] + 1) / RATE_HZ


def qrs_ms(session):
    widths = [np.diff(qrs_limits(session.signal_mv, onset))[0] for onset in onsets(session)]
    return 1000 * float(np.median(widths))


def diastole_s(session, patient, beat):
    """From the end of the T wave before a beat to its QRS complex."""
    return beat.rr_s - patient.qtc_s * (60 / session.rate_bpm) ** (1 / 3)


def pr_ms(session, patient, beat):
    """From a tenth of the height of the P wave, left of its top, to the QRS complex."""
    first = round((beat.onset_s - diastole_s(session, patient, beat)) * RATE_HZ)
    piece = session.signal_mv[:, first : round((beat.onset_s - 0.015) * RATE_HZ)]
    height = np.sqrt(np.mean((piece - piece[:, -1:]) ** 2, axis=0))
    top = np.argmax(height)
    below = np.flatnonzero(height[:top] < 0.1 * height[top])
    return 1000 * (beat.onset_s - (first + below[-1]) / RATE_HZ)


@pytest.mark.parametrize(
    ("name", "low_bpm", "high_bpm"),
    [("sinus_rhythm", 60, 100), ("sinus_bradycardia", 40, 59), ("sinus_tachycardia", 101, 145)],
)
def test_sinus_rates(name, low_bpm, high_bpm):
    rates = [60 / np.diff(onsets(session)).mean() for _, session in visits(name)]
    assert low_bpm - 1.5 < min(rates) < max(rates) < high_bpm + 1.5
    assert np.ptp(rates) > 0.6 * (high_bpm - low_bpm)


def test_pr_intervals_of_sinus_rhythm_and_of_av_block():
    for name, low_ms, high_ms in (
        ("sinus_rhythm", 115, 203),
        ("first_degree_av_block", 203, 335),
    ):
        measured = []
        for patient, session in visits(name):
            intervals = [
                pr_ms(session, patient, beat)
                for beat in session.beats
                # Otherwise the P wave may begin within the T wave.
                if 0.9 < beat.onset_s < 9.9
                and diastole_s(session, patient, beat) > patient.pr_s + 0.08
            ]
            if intervals:
                assert np.median(intervals) == pytest.approx(1000 * patient.pr_s, abs=12)
                measured.append(np.median(intervals))
        assert len(measured) >= 6
        assert low_ms < min(measured) < max(measured) < high_ms


@pytest.mark.parametrize(
    ("name", "low_ms", "high_ms"),
    [
        ("sinus_rhythm", 70, 118),
        ("atrial_fibrillation", 70, 122),
        ("left_ventricular_hypertrophy", 75, 124),
        ("left_bundle_branch_block", 120, 190),
        ("right_bundle_branch_block", 118, 180),
    ],
)
def test_qrs_durations(name, low_ms, high_ms):
    widths = [qrs_ms(session) for _, session in visits(name)]
    assert low_ms <= min(widths) <= max(widths) <= high_ms
    planned = [1000 * patient.qrs_s for patient, _ in visits(name)]
    assert np.corrcoef(widths, planned)[0, 1] > 0.9


def test_fibrillation_has_no_p_wave_and_irregular_intervals():
    def p_window(session):
        """Mean of V1 and II before the QRS complex over beats that follow a long interval."""
        beats = [b for b in session.beats if 0.7 < b.onset_s < 9.5 and b.rr_s > 0.6]
        windows = [
            session.signal_mv[:, round(b.onset_s * RATE_HZ) - 100 : round(b.onset_s * RATE_HZ) - 20]
            for b in beats
        ]
        return np.mean(windows, axis=0)[II] if len(windows) > 4 else None

    energies = {}
    for name in ("sinus_rhythm", "atrial_fibrillation"):
        means = [p_window(session) for _, session in visits(name)]
        energies[name] = np.array([np.std(mean) for mean in means if mean is not None])
    assert len(energies["atrial_fibrillation"]) >= 8
    assert np.median(energies["atrial_fibrillation"]) < 0.45 * np.median(energies["sinus_rhythm"])
    spread = {
        name: [np.std(np.diff(onsets(s))) / np.mean(np.diff(onsets(s))) for _, s in visits(name)]
        for name in ("sinus_rhythm", "atrial_fibrillation")
    }
    assert max(spread["sinus_rhythm"]) < 0.12
    assert np.median(spread["atrial_fibrillation"]) > 0.14


def test_premature_beats_are_wide_and_have_no_p_wave():
    counts = []
    for patient, session in visits("premature_ventricular_contractions"):
        early = onsets(session, "ectopic")
        counts.append(sum(beat.kind == "ectopic" for beat in session.beats))
        for onset_s in early:
            onset, end = round(onset_s * RATE_HZ), round((onset_s + patient.ectopic_s) * RATE_HZ)
            wide = session.signal_mv[:, onset:end]
            assert np.ptp(wide, axis=1).max() > 0.6
            p_waves = [b.onset_s - patient.pr_s for b in session.beats if b.kind != "ectopic"]
            earlier = max(time for time in p_waves if time < onset_s)
            assert onset_s - earlier > 0.33  # the last P wave belongs to the beat before
        if early:
            widths = [np.diff(qrs_limits(session.signal_mv, onset))[0] for onset in early]
            assert 1000 * np.median(widths) > 118
        assert qrs_ms(session) < 118
    assert set(counts) == {1, 2, 3, 4}


def test_qt_follows_the_cube_root_of_the_interval():
    def t_end_s(session):
        """Time from QRS onset to where the T wave of V4 has fallen to a twentieth."""
        onset_s = onsets(session)[3]
        first = round((onset_s + 0.16) * RATE_HZ)
        last = round((onset_s + 0.62 * 60 / session.rate_bpm) * RATE_HZ)
        piece = (
            session.signal_mv[V4, first:last] - session.signal_mv[V4, round(onset_s * RATE_HZ) - 8]
        )
        top = np.argmax(piece)
        return 0.16 + (top + np.flatnonzero(piece[top:] < 0.05 * piece[top])[0]) / RATE_HZ

    slow = [t_end_s(s) / (60 / s.rate_bpm) ** (1 / 3) for _, s in visits("sinus_bradycardia")]
    usual = [
        t_end_s(s) / (60 / s.rate_bpm) ** (1 / 3)
        for p, s in visits("sinus_rhythm")
        if s.rate_bpm < 80 and p.pr_s < 0.17
    ]
    assert np.mean(slow) == pytest.approx(np.mean(usual), rel=0.05)
    assert 0.36 < np.mean(usual) < 0.44
