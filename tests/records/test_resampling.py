import numpy as np
import pytest
import scipy.signal

from ecgmae_jax.records.resampling import resample

RATES = [(100.0, 500.0), (500.0, 100.0), (257.0, 500.0), (1000.0, 500.0), (257.5, 500.0)]


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_slow_wave_keeps_its_shape_and_time(from_hz, to_hz):
    def wave(rate_hz: float, count: int) -> np.ndarray:
        return np.cos(2 * np.pi * 3.0 * np.arange(count) / rate_hz)[None]

    signal = resample(wave(from_hz, round(4 * from_hz)), from_hz=from_hz, to_hz=to_hz)
    assert signal.shape == (1, round(4 * to_hz))
    inside = slice(round(0.2 * to_hz), -round(0.2 * to_hz))
    expected = wave(to_hz, signal.shape[1])
    np.testing.assert_allclose(signal[:, inside], expected[:, inside], atol=3e-3)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("num_samples", [1, 2, 11, 300])
def test_constants_and_lines_are_kept_up_to_the_ends(from_hz, to_hz, num_samples):
    signal = np.stack([np.full(num_samples, 3.25), np.linspace(-1, 2, num_samples)])
    resampled = resample(signal, from_hz=from_hz, to_hz=to_hz)
    times = np.arange(resampled.shape[1]) * from_hz / to_hz
    slope = 3 / (num_samples - 1) if num_samples > 1 else 0.0
    np.testing.assert_allclose(resampled[0], 3.25, rtol=0, atol=1e-12)
    np.testing.assert_allclose(resampled[1], -1 + slope * times, rtol=0, atol=1e-12)


def test_agrees_with_scipy_where_nothing_is_missing():
    signal = np.random.default_rng(0).normal(size=(2, 600))
    signal[:, [0, -1]] = 0.0
    expected = scipy.signal.resample_poly(signal, 1, 5, axis=1)
    np.testing.assert_allclose(resample(signal, from_hz=500.0, to_hz=100.0), expected, atol=1e-12)


def test_what_is_too_fast_for_the_new_rate_is_filtered_out():
    fast = np.sin(2 * np.pi * 180.0 * np.arange(5000) / 500.0)[None]
    assert np.abs(resample(fast, from_hz=500.0, to_hz=100.0)[:, 20:-20]).max() < 3e-3


@pytest.mark.parametrize("to_hz", [500.0, 1000.0, 250.0, 100.0, 257.0])
def test_gaps_stay_gaps_of_the_same_length(to_hz):
    signal = np.ones((2, 2000), np.float32)
    signal[0, 500:700] = np.nan
    signal[0, :10] = np.nan
    resampled = resample(signal, from_hz=500.0, to_hz=to_hz)
    centre_s = np.arange(resampled.shape[1]) / to_hz
    half_s = max(0.5 / 500.0, 0.5 / to_hz) + 1e-9
    missing_s = np.nonzero(np.isnan(signal[0]))[0] / 500.0
    expected = (np.abs(centre_s[:, None] - missing_s) <= half_s).any(axis=1)
    if to_hz == 500.0:
        expected = np.isnan(signal[0])
    np.testing.assert_array_equal(np.isnan(resampled[0]), expected)
    np.testing.assert_array_equal(resampled[1], 1.0)
    np.testing.assert_array_equal(resampled[0][~expected], 1.0)


def test_a_lead_that_is_missing_stays_missing():
    signal = np.full((1, 100), np.nan, np.float32)
    resampled = resample(signal, from_hz=100.0, to_hz=500.0)
    assert resampled.shape == (1, 500) and np.isnan(resampled).all()


def test_the_kind_of_float_is_kept():
    assert resample(np.zeros((1, 10), np.float32), from_hz=100.0, to_hz=200.0).dtype == np.float32


@pytest.mark.parametrize("to_hz", [0.0, -5.0, float("nan"), float("inf"), 1e6])
def test_impossible_rates_are_refused(to_hz):
    with pytest.raises(ValueError, match="cannot resample from 500 to"):
        resample(np.zeros((1, 10), np.float32), from_hz=500.0, to_hz=to_hz)
