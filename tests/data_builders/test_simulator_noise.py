import numpy as np
import pytest

from data_builders.simulated_ecg import noise, torso
from data_builders.simulated_ecg.noise import NoiseLevels

RATE_HZ = 500.0
SILENT = {"wander_mv": 0.0, "muscle_mv": 0.0, "mains_mv": 0.0, "mains_hz": 50.0, "breaths_hz": 0.25}


def recorded(seed=0, *, num_samples=5000, **levels):
    return noise.electrode_noise(
        np.random.default_rng(seed),
        NoiseLevels(**{**SILENT, **levels}),
        num_samples=num_samples,
        rate_hz=RATE_HZ,
    )


def share_of_power(signal, low_hz, high_hz):
    spectrum = (np.abs(np.fft.rfft(signal)) ** 2).sum(axis=0)
    frequency = np.fft.rfftfreq(signal.shape[-1], 1 / RATE_HZ)
    return spectrum[(frequency >= low_hz) & (frequency <= high_hz)].sum() / spectrum.sum()


@pytest.mark.parametrize(
    ("level", "low_hz", "high_hz"),
    [("wander_mv", 0.05, 0.5), ("muscle_mv", 10.0, 170.0), ("mains_mv", 49.9, 50.1)],
)
def test_every_disturbance_has_its_strength_and_its_band(level, low_hz, high_hz):
    strengths = [np.sqrt(np.mean(recorded(seed, **{level: 0.05}) ** 2)) for seed in range(40)]
    assert np.mean(strengths) == pytest.approx(0.05, rel=0.12)
    # Twenty seconds hold a whole number of breaths and of mains cycles.
    long = recorded(**{level: 0.05}, num_samples=10_000)
    assert share_of_power(long, low_hz, high_hz) > 0.98


def test_silence_and_reproducibility():
    assert not recorded().any()
    np.testing.assert_array_equal(recorded(3, muscle_mv=0.01), recorded(3, muscle_mv=0.01))
    assert np.abs(recorded(3, muscle_mv=0.01) - recorded(4, muscle_mv=0.01)).max() > 0.01


def test_noise_obeys_einthoven_and_differs_between_chest_leads():
    leads = torso.leads_from_electrodes(recorded(muscle_mv=0.01, wander_mv=0.05))
    np.testing.assert_allclose(leads[0] + leads[2], leads[1], atol=1e-12)
    muscle = torso.leads_from_electrodes(recorded(muscle_mv=0.01, num_samples=20_000))
    assert np.corrcoef(muscle[6], muscle[11])[0, 1] < 0.5


def test_levels_are_those_of_a_ward():
    levels = [noise.draw_noise_levels(np.random.default_rng(seed)) for seed in range(200)]
    assert 0.02 < np.median([level.wander_mv for level in levels]) < 0.05
    assert 0.004 < np.median([level.muscle_mv for level in levels]) < 0.012
    assert {level.mains_hz for level in levels} == {50.0, 60.0}


def test_fibrillation_is_a_wave_of_4_to_8_hz_larger_in_v1_than_far_from_it():
    ratios = []
    for seed in range(12):
        dipole = noise.fibrillation_dipole(
            np.random.default_rng(seed), amplitude_mv=0.1, num_samples=5000, rate_hz=RATE_HZ
        )
        leads = torso.lead_matrix(torso.DOWER) @ dipole
        spectrum = np.abs(np.fft.rfft(leads[6]))
        peak_hz = np.fft.rfftfreq(5000, 1 / RATE_HZ)[np.argmax(spectrum)]
        assert 3.5 < peak_hz < 8.5
        assert 0.05 < np.percentile(leads[6], 99) - np.percentile(leads[6], 1) < 0.25
        ratios.append(leads[6].std() / leads[[0, 5, 11]].std(axis=1).max())
    assert min(ratios) > 1.0
    assert np.mean(ratios) > 1.5
