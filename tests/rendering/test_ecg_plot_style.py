import dataclasses

import ecg_plot
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.ecg_plot_style import ecg_plot_sheet

_LUMA = np.array([0.299, 0.587, 0.114])


def _similarity(a, b):
    """The mean structural similarity of Wang et al. 2004: Gaussian window, deviation 1.5."""

    def mean(values):
        return gaussian_filter(values, 1.5, truncate=3.5)

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return float((luminance * (2 * covariance + c2) / (variances + c2)).mean())


def _reference(signal, *, frame, **settings):
    """Grey picture by ecg-plot, without the frame and title of its axes where not asked for."""
    plt.switch_backend("Agg")
    with plt.style.context("default"):
        ecg_plot.plot(signal, sample_rate=500, columns=2, **settings)
        figure = plt.gcf()
        try:
            if not frame:
                figure.axes[0].axis("off")
                figure.suptitle("")
            figure.canvas.draw()
            return np.array(figure.canvas.buffer_rgba())[..., :3] @ _LUMA
        finally:
            plt.close(figure)


_DRAW = jax.jit(draw)


def _drawn(sheet, signal):
    deck = make_deck([sheet], rate_hz=500.0)
    image = _DRAW(deck, signal[None], jnp.zeros(1, jnp.int32)).image
    return np.asarray(image)[0] @ _LUMA


@pytest.fixture(scope="module")
def trace_layers(beats):
    sheet = ecg_plot_sheet()
    paper = dataclasses.replace(sheet.paper, minor_line_mm=0.0, major_line_mm=0.0)
    marks = dataclasses.replace(sheet.marks, name_mm=0.0, separator="none")
    bare = dataclasses.replace(
        sheet, paper=paper, marks=marks, header=dataclasses.replace(sheet.header, texts=())
    )
    off = {"show_grid": False, "show_lead_name": False, "show_separate_line": False}
    return _reference(beats, frame=False, **off), _drawn(bare, beats)


def test_the_scale_is_ecg_plot_s_own():
    sheet = ecg_plot_sheet()
    assert sheet.px_per_mm * sheet.paper.mm_per_s == pytest.approx(100)
    assert sheet.px_per_mm * sheet.paper.mm_per_mv == pytest.approx(40)
    strips = {strip.lead: strip for strip in sheet.strips}
    assert strips["V2"].x_mm * sheet.px_per_mm == pytest.approx(1000)
    assert strips["V2"].baseline_mm * sheet.px_per_mm == pytest.approx(180)
    assert {(strip.start_s, strip.duration_s) for strip in strips.values()} == {(0.0, 10.0)}


def test_the_traces_are_those_of_ecg_plot(trace_layers):
    reference, drawn = trace_layers
    assert reference.shape == drawn.shape == (720, 2000)
    assert _similarity(reference, drawn) >= 0.99
    assert (255 - drawn).sum() == pytest.approx((255 - reference).sum(), rel=0.07)


def test_the_whole_picture_is_that_of_ecg_plot(beats):
    # ecg-plot has a frame round the picture.
    reference = _reference(beats, frame=True)[4:-4, 4:-4]
    drawn = _drawn(ecg_plot_sheet(), beats)[4:-4, 4:-4]
    assert _similarity(reference, drawn) > 0.98


def test_the_grid_is_that_of_ecg_plot_but_for_the_crossings(beats):
    nothing = np.full_like(beats, np.nan)
    between_names = np.s_[40:700, 60:980]
    reference = _reference(nothing, frame=False, show_separate_line=False)
    framed = _reference(nothing, frame=True, show_separate_line=False)[between_names]
    assert (reference[between_names] == 255).all()
    # Where lines cross, the last one drawn lies on top, which is another one there.
    difference = np.abs(_drawn(ecg_plot_sheet(), nothing)[between_names] - framed)
    assert (difference > 1.5).mean() < 0.03
    assert (framed < 250).mean() > 0.4


def test_other_signals_are_told_apart(trace_layers, beats):
    reference, _ = trace_layers
    other = _drawn(ecg_plot_sheet(), beats[::-1].copy())
    assert _similarity(reference, other) < 0.9
