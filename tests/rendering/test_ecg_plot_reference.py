import importlib.metadata

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.ecg_plot_reference import draw_with_ecg_plot

_SMALL = {"height": 180, "width": 250}


@pytest.fixture(scope="module")
def signal():
    return np.float32(np.sin(np.arange(12)[:, None] + 2 * np.pi * np.arange(250)[None] / 100))


def _settings():
    return {name: value for name, value in plt.rcParams.items() if name != "backend"}


def test_it_is_the_package_s_own_picture(signal):
    settings = _settings()
    # 2.5 s in two columns and six rows: 500 x 720 pixels at ecg-plot's own size.
    picture = draw_with_ecg_plot(signal, rate_hz=100.0, height=720, width=500, channels=3)
    assert picture.shape == (720, 500, 3)
    blue = picture[..., 2].astype(int) - picture[..., 0] > 40
    columns = np.flatnonzero(blue.any(axis=0))
    assert columns.min() < 5
    assert columns.max() > 494
    # Lead I, first row: 0 mV is 60 px from the top, 1 mV is 40 px.
    ink = blue[:110, 50:200]
    rows = np.arange(110) @ ink / np.maximum(ink.sum(axis=0), 1)
    seconds = (np.arange(50, 200) + 0.5) / 100
    expected = 60 - 40 * np.sin(2 * np.pi * seconds)
    seen = ink.any(axis=0)
    assert seen.mean() > 0.9
    assert np.median(np.abs(rows - expected)[seen]) < 2
    assert plt.get_fignums() == []
    assert _settings() == settings


def test_the_same_signal_gives_the_same_bytes_at_the_size_asked_for(signal):
    first = draw_with_ecg_plot(signal, rate_hz=100.0, channels=1, **_SMALL)
    plt.rcParams["lines.linewidth"] = 9
    plt.rcParams["figure.dpi"] = 50
    second = draw_with_ecg_plot(signal, rate_hz=100.0, channels=1, **_SMALL)
    plt.rcdefaults()
    assert first.shape == (180, 250, 1)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)


def test_another_version_is_refused(signal, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.3.0")
    with pytest.raises(InputError, match=r"ecg-plot 0.3.0 is installed.*ecg-plot==0.2.8"):
        draw_with_ecg_plot(signal, rate_hz=100.0, channels=1, **_SMALL)


def test_lengths_that_ecg_plot_miscounts_are_refused():
    with pytest.raises(InputError, match=r"cannot draw 970 samples at 100.0 Hz"):
        draw_with_ecg_plot(np.zeros((12, 970)), rate_hz=100.0, channels=1, **_SMALL)


def test_channels_are_one_or_three(signal):
    with pytest.raises(InputError, match="channels=2"):
        draw_with_ecg_plot(signal, rate_hz=100.0, channels=2, **_SMALL)
