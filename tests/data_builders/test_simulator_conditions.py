"""Properties of every condition, and the codes they are recorded under."""

import functools

import numpy as np
import pytest

from data_builders.simulated_ecg.conditions import CONDITIONS, diagnoses, findings
from data_builders.simulated_ecg.patients import draw_patient
from data_builders.simulated_ecg.simulator import simulate_recording, simulate_session
from ecgmae_jax.records.leads import STANDARD_LEADS

NUM_PATIENTS = 24
BY_NAME = {condition.name: condition for condition in CONDITIONS}
LEAD_I, II, III, AVR, AVL, AVF = range(6)


@functools.cache
def visits(name):
    """Patient and first visit of NUM_PATIENTS patients with a condition."""
    patients = [draw_patient(BY_NAME[name], seed=(7, number)) for number in range(NUM_PATIENTS)]
    return [(patient, simulate_session(patient, number=0)) for patient in patients]


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


def test_no_condition_is_given_away_by_rate_age_or_noise():
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
