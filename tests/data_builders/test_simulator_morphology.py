"""Criteria of shape and voltage, measured on the leads as a reader would, before noise."""

import functools

import numpy as np

from data_builders.simulated_ecg.conditions import CONDITIONS
from data_builders.simulated_ecg.patients import draw_patient
from data_builders.simulated_ecg.simulator import simulate_session

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
