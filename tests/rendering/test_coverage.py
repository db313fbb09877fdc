import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ecgmae_jax.rendering.coverage import coverage, ink_outside, strokes
from ecgmae_jax.rendering.layouts import Layout
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.traces import (
    pen_reach,
    plan_traces,
    sub_columns_per_pixel,
    trace_geometry,
)

# One lead alone on the sheet, so that the ink of a column is that lead's.
_LONE = Layout("lone", (("II",),))


def _lone(sheet):
    return dataclasses.replace(sheet, layout=_LONE)


def _centroids(covered, columns):
    ink = covered[:, columns]
    rows = np.arange(len(covered)) + 0.5
    return rows @ ink / ink.sum(axis=0)


@pytest.mark.parametrize(
    ("size", "rate_hz"), [((192, 256), 1000), ((384, 512), 500), ((850, 1100), 250)]
)
def test_the_trace_lies_where_the_signal_says(trace_coverage, size, rate_hz):
    sheet = _lone(make_sheet(height=size[0], width=size[1]))
    scale, strip = sheet.px_per_mm, sheet.strips[0]

    def millivolts(seconds):
        return 0.8 * np.sin(2 * np.pi * 1.3 * seconds) + 0.1 * seconds

    signal = np.zeros((12, 10 * rate_hz))
    signal[1] = millivolts(np.arange(10 * rate_hz) / rate_hz)
    covered = trace_coverage(sheet, signal, rate_hz=float(rate_hz))
    columns = np.arange(round(strip.x_mm * scale) + 3, round((strip.x_mm + 249) * scale) - 3)
    seconds = ((columns + 0.5) / scale - strip.x_mm) / 25
    error = _centroids(covered, columns) - (strip.baseline_mm - 10 * millivolts(seconds)) * scale
    assert np.abs(error).max() < 0.25
    assert np.sqrt((error**2).mean()) < 0.1


@pytest.mark.parametrize(
    ("layout", "size"),
    [("3x4+1", (192, 256)), ("3x4", (384, 512)), ("12x1", (224, 224))],
)
def test_the_ink_of_flat_lines_is_length_times_pen(trace_coverage, layout, size):
    sheet = make_sheet(layout, height=size[0], width=size[1])
    covered = trace_coverage(sheet, np.zeros((12, 5001)), rate_hz=500.0)
    # Its round tip ends with the strip, so the pen itself stops a reach earlier on either side,
    # to a quarter of a pixel.
    per_pixel = sub_columns_per_pixel(sheet.pen_px)
    reach_px = pen_reach(sheet.pen_px, per_pixel) / per_pixel
    length_px = sum(strip.width_mm * sheet.px_per_mm - 2 * reach_px for strip in sheet.strips)
    assert covered.sum() / sheet.pen_px == pytest.approx(length_px, abs=0.25 * len(sheet.strips))


def test_drawn_small_is_drawn_large_and_averaged_down(trace_coverage, beats):
    small = trace_coverage(make_sheet(), beats, rate_hz=500.0)
    large = trace_coverage(make_sheet(height=1536, width=2048), beats, rate_hz=500.0)
    averaged = large.reshape(384, 4, 512, 4).mean(axis=(1, 3))
    assert small.sum() == pytest.approx(averaged.sum(), rel=0.02)
    assert np.abs(small - averaged).sum() < 0.1 * averaged.sum()
    assert np.corrcoef(small.ravel(), averaged.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("size", [(384, 512), (850, 1100)])
def test_the_trace_agrees_with_an_exact_rasteriser(trace_coverage, beats, size):
    sheet = _lone(make_sheet(height=size[0], width=size[1]))
    scale, strip = sheet.px_per_mm, sheet.strips[0]
    covered = trace_coverage(sheet, beats, rate_hz=500.0)

    figure = Figure(figsize=(size[1] / 72, size[0] / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, size[1]), ylim=(size[0], 0))
    axes.axis("off")
    x = (strip.x_mm + 25 * np.arange(5000) / 500) * scale
    y = (strip.baseline_mm - 10 * beats[1]) * scale
    axes.plot(x, y, "k", lw=sheet.pen_px, snap=False, solid_joinstyle="round")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    agg = 1 - np.asarray(canvas.buffer_rgba())[:, :, 0] / 255

    assert covered.sum() == pytest.approx(agg.sum(), rel=0.07)
    assert np.corrcoef(covered.ravel(), agg.ravel())[0, 1] > 0.98


def test_a_tall_wave_leaves_its_row_and_is_cut_at_the_sheet_s_edge_only(trace_coverage):
    sheet = make_sheet("12x1")
    signal = np.full((12, 5000), np.nan)
    signal[6] = 0
    signal[6, 2000:2100] = 4
    signal[6, 3000:3100] = 1000
    covered = trace_coverage(sheet, signal, rate_hz=500.0)
    strip = next(s for s in sheet.strips if s.lead == "V1")
    scale = sheet.px_per_mm

    def column(seconds):
        return covered[:, round((strip.x_mm + 25 * seconds) * scale)]

    assert column(4.1)[round((strip.baseline_mm - 40) * scale) - 1 :][:3].sum() > 0.5
    assert column(6.1).sum() == 0
    foot = int(strip.baseline_mm * scale)
    edge = covered[:, int((strip.x_mm + 150) * scale) - 1 :][:, :3]
    assert (edge[: foot - 1].max(axis=1) > 0.2).all()
    assert edge[foot + 2 :].sum() == 0


def test_what_is_not_recorded_is_not_drawn(trace_coverage, beats):
    sheet = _lone(make_sheet())
    scale, strip = sheet.px_per_mm, sheet.strips[0]
    signal = beats.copy()
    signal[1, 2000:3000] = np.nan
    covered = trace_coverage(sheet, signal, rate_hz=500.0)

    def x(seconds):
        return round((strip.x_mm + 25 * seconds) * scale)

    assert covered[:, x(4) + 1 : x(6) - 1].sum() == 0
    whole = trace_coverage(sheet, beats, rate_hz=500.0)
    np.testing.assert_array_equal(covered[:, : x(4) - 1], whole[:, : x(4) - 1])
    np.testing.assert_array_equal(covered[:, x(6) + 2 :], whole[:, x(6) + 2 :])

    short = trace_coverage(sheet, beats[:, :3000], rate_hz=500.0)
    np.testing.assert_array_equal(short[:, : x(6) - 1], whole[:, : x(6) - 1])
    assert short[:, x(6) + 1 :].sum() == 0


def test_infinite_samples_count_as_missing(trace_coverage, beats):
    signal = beats.copy()
    signal[:, 100:120] = np.inf
    missing = np.where(np.isinf(signal), np.nan, signal)
    sheet = make_sheet(height=192, width=256)
    np.testing.assert_array_equal(
        trace_coverage(sheet, signal, rate_hz=500.0), trace_coverage(sheet, missing, rate_hz=500.0)
    )


def test_a_batch_by_vmap_is_the_same_picture(trace_coverage, beats):
    sheet = make_sheet(height=192, width=256)
    table = jax.tree.map(
        lambda field: jnp.asarray(field)[0], trace_geometry([sheet], rate_hz=500.0)
    )

    @jax.jit
    @jax.vmap
    def draw(signal):
        lines = strokes(signal, plan_traces(table), table)
        return coverage(lines, per_pixel=table.per_pixel, height=192)

    batch = np.asarray(draw(np.stack([beats, 0.5 * beats])))
    np.testing.assert_array_equal(batch[0], trace_coverage(sheet, beats, rate_hz=500.0))


def test_ink_outside_its_band_is_counted(beats):
    sheet = _lone(make_sheet(height=192, width=256))
    table = jax.tree.map(
        lambda field: jnp.asarray(field)[0], trace_geometry([sheet], rate_hz=500.0)
    )
    plan = plan_traces(table)

    def outside(millivolts):
        signal = np.full((12, 5000), np.nan, np.float32)
        signal[1] = millivolts
        return float(ink_outside(strokes(jnp.asarray(signal), plan, table), plan))

    assert outside(0.0) == 0
    assert outside(np.nan) == 0
    # A flat line 100 mm above its baseline, in a band of 90 mm on either side.
    assert outside(10.0) == pytest.approx(1, abs=1e-6)
    # Half of it there and half in its band, the way between not recorded.
    steps = np.repeat([0.0, np.nan, 10.0], [2400, 200, 2400])
    assert outside(steps) == pytest.approx(0.5, abs=0.01)
