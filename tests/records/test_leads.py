import numpy as np
import pytest

from ecgmae_jax.records.leads import (
    STANDARD_LEADS,
    canonical_lead,
    complete_limb_leads,
    in_standard_order,
)


@pytest.mark.parametrize(
    ("name", "lead"),
    [
        ("I", "I"),
        ("i", "I"),
        ("MLII", "II"),
        ("DIII", "III"),
        ("AVR", "aVR"),
        ("avf", "aVF"),
        ("MDC_ECG_LEAD_aVL", "aVL"),
        ("MDC_ECG_LEAD_V1", "V1"),
        ("Lead II", "II"),
        ("ECG V6", "V6"),
        ("  v4 ", "V4"),
    ],
)
def test_aliases_are_mapped(name, lead):
    assert canonical_lead(name) == lead


@pytest.mark.parametrize(
    "name", ["", "ECG", "lead", "-aVR", "vx", "V7", "V3R", "V", "RESP", "MDC_ECG_LEAD_", "I II"]
)
def test_what_is_no_standard_lead_stays_unnamed(name):
    assert canonical_lead(name) is None


def electrode_leads(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All limb leads from the potentials of three electrodes, by their definitions."""
    right, left, foot = rng.normal(size=(3, 50))
    return {
        "I": left - right,
        "II": foot - right,
        "III": foot - left,
        "aVR": right - (left + foot) / 2,
        "aVL": left - (right + foot) / 2,
        "aVF": foot - (right + left) / 2,
    }


def test_derived_limb_leads_are_those_of_the_electrodes():
    expected = electrode_leads(np.random.default_rng(0))
    given = np.stack([expected["II"], expected["I"]]).astype(np.float32)
    signal, leads = complete_limb_leads(given, ("II", "I"))
    assert leads == STANDARD_LEADS[:6]
    np.testing.assert_allclose(signal, np.stack([expected[lead] for lead in leads]), atol=1e-6)


def test_recorded_leads_are_not_replaced_and_chest_leads_not_invented():
    given = np.arange(12, dtype=np.float32).reshape(4, 3)
    signal, leads = complete_limb_leads(given, ("V2", "aVR", "II", "I"))
    assert leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V2")
    np.testing.assert_array_equal(signal[3], given[1])
    np.testing.assert_array_equal(signal[6], given[0])


def test_nothing_is_derived_without_both_i_and_ii():
    given = np.ones((2, 3), np.float32)
    _, leads = complete_limb_leads(given, ("III", "I"))
    assert leads == ("I", "III")


def test_a_gap_in_one_source_is_a_gap_in_what_is_derived():
    given = np.ones((2, 3), np.float32)
    given[0, 1] = np.nan
    signal, _ = complete_limb_leads(given, ("I", "II"))
    np.testing.assert_array_equal(np.isnan(signal[2:, 1]), True)
    np.testing.assert_array_equal(np.isnan(signal[2:, [0, 2]]), False)


def test_standard_order_leaves_absent_leads_missing():
    given = np.stack([np.full(4, 5.0), np.full(4, 2.0)]).astype(np.float32)
    ordered = in_standard_order(given, ("V5", "II"))
    assert ordered.shape == (12, 4)
    np.testing.assert_array_equal(ordered[1], 2.0)
    np.testing.assert_array_equal(ordered[10], 5.0)
    np.testing.assert_array_equal(
        np.isnan(ordered).all(axis=1), [i not in (1, 10) for i in range(12)]
    )
