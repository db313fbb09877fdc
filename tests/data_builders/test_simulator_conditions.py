"""Clinical criteria, measured on the leads as a reader would, before noise."""

import functools

import numpy as np
import pytest

from data_builders.simulated_ecg.conditions import CONDITIONS, diagnoses, findings
from data_builders.simulated_ecg.patients import draw_patient
from data_builders.simulated_ecg.simulator import simulate_recording, simulate_session
from ecgmae_jax.records.leads import STANDARD_LEADS

RATE_HZ = 500.0
NUM_PATIENTS = 24
BY_NAME = {condition.name: condition for condition in CONDITIONS}
LEAD_I, II, III, AVR, AVL, AVF, V1, V2, V3, V4, V5, V6 = range(12)


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


def middle_beat(session, patient):
    """QRS onset and J point of a beat in the middle, as samples, by the patient's QRS duration."""
    times = onsets(session)
    onset_s = times[len(times) // 2]
    return round(onset_s * RATE_HZ), round((onset_s + patient.qrs_s) * RATE_HZ)


def qrs_complex(session, patient):
    """The middle QRS complex in all leads, from the level just before it."""
    onset, end = middle_beat(session, patient)
    return session.signal_mv[:, onset:end] - session.signal_mv[:, onset - 8 : onset - 7]


def st_mv(session, patient):
    """Level of all leads 60 ms after the J point, from the level before the QRS complex."""
    onset, end = middle_beat(session, patient)
    return session.signal_mv[:, end + 30] - session.signal_mv[:, onset - 8]


def t_mv(session, patient):
    """Largest deviation of either sign between J + 80 ms and 60% of the RR interval."""
    onset, end = middle_beat(session, patient)
    last = onset + round(0.6 * 60 / session.rate_bpm * RATE_HZ)
    piece = session.signal_mv[:, end + 40 : last] - session.signal_mv[:, onset - 8 : onset - 7]
    return np.take_along_axis(piece, np.abs(piece).argmax(axis=1)[:, None], axis=1)[:, 0]


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


@pytest.mark.parametrize("name", BY_NAME)
def test_einthoven_and_goldberger_hold_with_and_without_noise(name):
    patient, session = visits(name)[0]
    recording = simulate_recording(patient, number=0, record_id="r", patient_id="p")
    assert recording.leads == STANDARD_LEADS
    for x, atol in ((session.signal_mv, 1e-12), (recording.signal_mv, 2e-6)):
        np.testing.assert_allclose(x[LEAD_I] + x[III], x[II], atol=atol)
        np.testing.assert_allclose(x[AVR] + x[AVL] + x[AVF], 0.0, atol=atol)
        np.testing.assert_allclose(x[AVF], (x[II] + x[III]) / 2, atol=atol)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_seed_makes_the_patient_and_the_visit(name):
    def signal(seed, number):
        patient = draw_patient(BY_NAME[name], seed=(seed, 3))
        return simulate_recording(patient, number=number, record_id="r", patient_id="p").signal_mv

    np.testing.assert_array_equal(signal(0, 0), signal(0, 0))
    assert np.abs(signal(0, 0) - signal(0, 1)).max() > 0.1
    assert np.abs(signal(0, 0) - signal(1, 0)).max() > 0.1


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


def test_precordial_progression_and_septal_q_of_normal_conduction():
    tall, deep = [], []
    for patient, session in visits("sinus_rhythm"):
        qrs = qrs_complex(session, patient)
        tall.append(qrs[V1:].max(axis=1))
        deep.append(-qrs[V1:].min(axis=1))
        assert qrs[V1].max() < -qrs[V1].min()
        assert qrs[V6].max() > -qrs[V6].min()
    tall, deep = np.median(tall, axis=0), np.median(deep, axis=0)
    assert np.all(np.diff(tall[:4]) > 0)  # R grows from V1 to V4
    assert np.all(np.diff(deep[1:]) < 0)  # S shrinks from V2 to V6


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


def test_left_bundle_branch_block_polarity_and_discordance():
    for patient, session in visits("left_bundle_branch_block"):
        qrs, t = qrs_complex(session, patient), t_mv(session, patient)
        assert qrs[V1].max() < 0.15 * -qrs[V1].min()  # QS or rS
        for lateral in (LEAD_I, V6):
            assert qrs[lateral].max() > 5 * -qrs[lateral].min()  # no q, no S
        assert t[V1] > 0.1
        assert t[V6] < -0.1
        # Broad: above half its height for longer than a whole normal R wave.
        assert np.sum(qrs[V6] > 0.5 * qrs[V6].max()) > 0.05 * RATE_HZ


def test_right_bundle_branch_block_polarity():
    for patient, session in visits("right_bundle_branch_block"):
        qrs, t = qrs_complex(session, patient), t_mv(session, patient)
        middle = qrs.shape[1] // 2
        first, late = qrs[V1, :middle], qrs[V1, middle:]
        assert first.max() > 0.05  # r
        assert first.min() < -0.2  # S
        assert late.max() > 0.25  # R'
        assert qrs[V6, middle:].min() < -0.1  # broad S
        assert np.sum(qrs[V6, middle:] < 0.0) > 0.03 * RATE_HZ
        assert t[V1] < 0.0


def test_sokolow_lyon_index_and_strain():
    def sokolow(patient, session):
        qrs = qrs_complex(session, patient)
        return max(qrs[V5].max(), qrs[V6].max()) - qrs[V1].min()

    hypertrophy = [sokolow(*visit) for visit in visits("left_ventricular_hypertrophy")]
    normal = [sokolow(*visit) for visit in visits("sinus_rhythm")]
    assert min(hypertrophy) > 3.5
    assert max(normal) < 3.5
    for patient, session in visits("left_ventricular_hypertrophy"):
        assert st_mv(session, patient)[V6] < -0.03
        assert t_mv(session, patient)[V6] < 0.0


def test_anterior_st_elevation_with_reciprocal_depression():
    levels = np.array([st_mv(s, p) for p, s in visits("anterior_st_elevation")])
    normal = np.array([st_mv(s, p) for p, s in visits("sinus_rhythm")])
    assert np.all(levels[:, [V2, V3]] > 0.12)
    assert np.all(levels[:, V4] > 0.09)
    assert np.median(levels[:, V3]) > np.median(levels[:, V6]) + 0.25
    assert np.median(levels[:, III]) < -0.05
    assert np.abs(normal[:, [LEAD_I, II, III, V6]]).max() < 0.13
    assert normal[:, [V2, V3]].max() < 0.25


def test_inferior_st_elevation_with_reciprocal_depression():
    levels = np.array([st_mv(s, p) for p, s in visits("inferior_st_elevation")])
    assert np.all(levels[:, [II, III, AVF]] > 0.09)
    assert np.all(levels[:, AVL] < -0.05)
    assert np.all(levels[:, III] > levels[:, LEAD_I])


def test_premature_beats_are_wide_and_have_no_p_wave():
    counts = []
    for patient, session in visits("premature_ventricular_contractions"):
        early = onsets(session, "ectopic")
        counts.append(sum(beat.kind == "ectopic" for beat in session.beats))
        for onset_s in early:
            onset, end = round(onset_s * RATE_HZ), round((onset_s + patient.ectopic_s) * RATE_HZ)
            wide = session.signal_mv[:, onset:end]
            assert np.ptp(wide, axis=1).max() > 0.6
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
        piece = session.signal_mv[V4, first:last] - session.signal_mv[V4, round(onset_s * 500) - 8]
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


def test_diagnoses_carry_the_condition_first_and_what_rate_and_pr_interval_add():
    block = BY_NAME["left_bundle_branch_block"]
    codes = diagnoses(block, rate_bpm=105.0, pr_ms=220.0)
    assert codes == ("164909002", "427084000", "270492004")
    assert findings((*codes, "55827005")) == (
        "left_bundle_branch_block",
        "sinus_tachycardia",
        "first_degree_av_block",
    )
    fibrillation = BY_NAME["atrial_fibrillation"]
    assert diagnoses(fibrillation, rate_bpm=120.0, pr_ms=150.0) == ("164889003",)
    sinus = BY_NAME["sinus_rhythm"]
    assert diagnoses(sinus, rate_bpm=60.0, pr_ms=200.0) == ("426783006",)
    elevation = BY_NAME["inferior_st_elevation"]
    assert diagnoses(elevation, rate_bpm=59.9, pr_ms=160.0) == (
        "73795002",
        "164931005",
        "426177001",
    )


def test_no_condition_is_given_away_by_rate_voltage_or_age():
    shared = [name for name in BY_NAME if not name.startswith("sinus_")]
    for value in (
        lambda patient: patient.rate_bpm,
        lambda patient: patient.age_years,
        lambda patient: patient.noise.muscle_mv,
    ):
        ranges = [[value(patient) for patient, _ in visits(name)] for name in shared]
        assert max(min(values) for values in ranges) < min(max(values) for values in ranges)


def test_every_code_is_a_number_and_every_name_its_own():
    assert len({condition.code for condition in CONDITIONS}) == len(CONDITIONS) == 11
    assert len(BY_NAME) == len(CONDITIONS)
    assert all(condition.code.isdigit() for condition in CONDITIONS)
