"""The signal, read back from pictures on blank paper, is where its samples say."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.records.leads import STANDARD_LEADS
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.header import Header
from ecgmae_jax.rendering.layouts import LAYOUTS
from ecgmae_jax.rendering.marks import Marks
from ecgmae_jax.rendering.named_sheets import make_sheet

_RATE_HZ = 250.0
_BARE = Marks(name_mm=0.0, pulse="none")


def _bare(layout="3x4+1", *, pen_mm=0.4, height=384, width=512, **settings):
    """A sheet without a grid and without print: nothing but traces."""
    sheet = make_sheet(layout, height=height, width=width, style="blank", **settings)
    paper = dataclasses.replace(sheet.paper, pen_mm=pen_mm)
    return dataclasses.replace(sheet, paper=paper, marks=_BARE, header=Header())


def _millivolts(lead, seconds):
    """Another smooth signal in every lead, low enough to keep to its row."""
    waves = ((0.16, 0.7, lead), (0.07, 1.9, 2 * lead), (0.03, 4.3, 0))
    return sum(mv * np.sin(2 * np.pi * hz * seconds + phase) for mv, hz, phase in waves)


def _recording(seconds):
    times = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    return np.float32([_millivolts(lead, times) for lead in range(12)])


def _pictures(sheets, signal):
    """Ink of the pictures, 0 to 1."""
    deck = make_deck(sheets, rate_hz=_RATE_HZ)
    signals = jnp.broadcast_to(jnp.asarray(signal), (len(sheets), *signal.shape))
    images = jax.jit(draw)(deck, signals, jnp.arange(len(sheets))).image
    return 1 - np.asarray(images, np.float64)[:, :, :, 0] / 255


def _band(sheet, strip):
    """The rows of a strip's own, and its columns but for the ends where the pen is lifted."""
    scale = sheet.px_per_mm
    half_mm, end = strip.row_height_mm / 2, 2 + sheet.pen_px
    rows = [round((strip.baseline_mm + side * half_mm) * scale) for side in (-1, 1)]
    left, right = strip.x_mm * scale + end, (strip.x_mm + strip.width_mm) * scale - end
    return np.arange(*rows), np.arange(int(np.ceil(left)), int(right))


def _errors_px(sheet, ink):
    """How far the middle of the ink of every column lies from the sample that belongs there."""
    errors = []
    chest_mm_per_mv = sheet.paper.mm_per_mv * sheet.paper.chest_gain
    for strip in sheet.strips:
        rows, columns = _band(sheet, strip)
        trace = ink[np.ix_(rows, columns)]
        assert (trace.sum(axis=0) > 0).all()
        seen_mm = (rows + 0.5) @ trace / trace.sum(axis=0) / sheet.px_per_mm
        right_mm = (columns + 0.5) / sheet.px_per_mm - strip.x_mm
        seconds = strip.start_s + right_mm / sheet.paper.mm_per_s
        mv = strip.polarity * _millivolts(STANDARD_LEADS.index(strip.lead), seconds)
        gain = chest_mm_per_mv if strip.lead.startswith("V") else sheet.paper.mm_per_mv
        expected_mm = strip.baseline_mm - mv * gain
        errors.append((seen_mm - expected_mm) * sheet.px_per_mm)
    return np.concatenate(errors)


def _settings(pens_mm, size):
    machines = itertools.product((25.0, 50.0), (5.0, 10.0, 20.0), pens_mm)
    return [
        _bare(mm_per_s=s, mm_per_mv=v, pen_mm=pen, height=size[0], width=size[1])
        for s, v, pen in machines
    ]


@pytest.mark.parametrize("size", [(192, 256), (384, 512)])
def test_every_layout_is_drawn_to_a_quarter_of_a_pixel(size):
    sheets = [_bare(layout, height=size[0], width=size[1]) for layout in LAYOUTS]
    for sheet, ink in zip(sheets, _pictures(sheets, _recording(30)), strict=True):
        errors = _errors_px(sheet, ink)
        assert np.abs(errors).max() < 0.25, sheet.layout.name
        assert np.sqrt((errors**2).mean()) < 0.1, sheet.layout.name


@pytest.mark.parametrize(
    ("size", "pens_mm"), [((384, 512), (0.25, 0.4, 0.5)), ((850, 1100), (0.25, 0.5))]
)
def test_every_speed_gain_and_pen_is_drawn_to_a_quarter_of_a_pixel(size, pens_mm):
    sheets = _settings(pens_mm, size)
    for sheet, ink in zip(sheets, _pictures(sheets, _recording(10)), strict=True):
        assert np.abs(_errors_px(sheet, ink)).max() < 0.25, sheet.paper


@pytest.mark.parametrize("size", [(192, 256), (384, 512)])
def test_strips_with_a_gain_of_their_own_are_drawn_to_a_quarter_of_a_pixel(size):
    layouts = ("3x4+1 V1", "3x4+2", "6x2 cabrera", "12x1", "6x1 chest", "3x2")
    sheets = [_bare(layout, chest_gain=0.5, height=size[0], width=size[1]) for layout in layouts]
    for sheet, ink in zip(sheets, _pictures(sheets, _recording(10)), strict=True):
        errors = _errors_px(sheet, ink)
        assert np.abs(errors).max() < 0.25, sheet.layout.name
        assert np.sqrt((errors**2).mean()) < 0.1, sheet.layout.name


def test_a_pen_of_half_a_millimetre_is_read_to_ten_microvolts():
    sheets = [
        _bare(height=384, width=512, pen_mm=0.5),
        _bare(height=384, width=512, pen_mm=0.5, page="a4"),
    ]
    for sheet, ink in zip(sheets, _pictures(sheets, _recording(10)), strict=True):
        px_per_mv = sheet.paper.mm_per_mv * sheet.px_per_mm
        rms_uv = 1000 * np.sqrt((_errors_px(sheet, ink) ** 2).mean()) / px_per_mv
        assert rms_uv < 10


def test_columns_show_the_same_seconds_or_consecutive_ones():
    """A wave at 1 s and one at 6 s tell the seconds of a column."""
    times = np.arange(2500) / _RATE_HZ
    waves = np.exp(-(((times - 1) / 0.05) ** 2)) - np.exp(-(((times - 6) / 0.05) ** 2))
    signal = np.float32(np.tile(0.8 * waves, (12, 1)))
    sheets = [_bare("3x4"), _bare("3x4 simultaneous")]
    pictures = _pictures(sheets, signal)

    def waves_seen(sheet, ink, lead):
        strip = next(s for s in sheet.strips if s.lead == lead)
        rows, columns = _band(sheet, strip)
        middle = (rows + 0.5) @ ink[np.ix_(rows, columns)] / ink[np.ix_(rows, columns)].sum(axis=0)
        above_mm = strip.baseline_mm - middle / sheet.px_per_mm
        place = np.abs(above_mm).argmax()
        seconds = ((columns[place] + 0.5) / sheet.px_per_mm - strip.x_mm) / sheet.paper.mm_per_s
        return (seconds, np.sign(above_mm[place])) if np.abs(above_mm).max() > 4 else None

    sequential, simultaneous = (
        {lead: waves_seen(sheet, ink, lead) for lead in ("I", "aVR", "V1", "V4")}
        for sheet, ink in zip(sheets, pictures, strict=True)
    )
    assert sequential["aVR"] is None
    assert sequential["V4"] is None
    assert sequential["I"] == pytest.approx((1.0, 1), abs=0.03)
    # V1 begins at 5 s.
    assert sequential["V1"] == pytest.approx((1.0, -1), abs=0.03)
    assert all(seen == pytest.approx((1.0, 1), abs=0.03) for seen in simultaneous.values())


def test_a_strip_longer_than_the_recording_stays_empty():
    sheet = _bare("I in 3 rows")
    ink = _pictures([sheet], _recording(10))[0]
    inked = [ink[np.ix_(*_band(sheet, strip))].sum(axis=0) > 0 for strip in sheet.strips]
    assert inked[0].all()
    assert not inked[1].any()
    assert not inked[2].any()
