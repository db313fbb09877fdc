import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.drawing import draw as dealt
from ecgmae_jax.rendering.drawing import make_deck, make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet

_SIZE = {"height": 192, "width": 256}


@pytest.fixture(scope="module")
def draw():
    return make_drawer(make_sheet(**_SIZE), rate_hz=500.0)


def test_pictures_are_bytes_dark_on_light(draw, beats):
    pictures = np.asarray(draw(beats[None]))
    assert pictures.shape == (1, 192, 256, 1)
    assert pictures.dtype == np.uint8
    assert pictures.max() > 220
    assert pictures.min() < 120


@pytest.mark.usefixtures("optimised")
def test_a_picture_does_not_depend_on_its_batch(draw, beats):
    batch = np.stack([scale * beats for scale in np.linspace(-1, 1, 8)]).astype(np.float32)
    together = np.asarray(draw(batch))
    for i in (0, 3, 7):
        np.testing.assert_array_equal(together[i], np.asarray(draw(batch[i : i + 1]))[0])


def test_a_missing_lead_leaves_paper_and_name(draw, beats):
    blank = np.asarray(draw(np.full((1, 12, 5000), np.nan, np.float32)))[0]
    signal = beats.copy()
    signal[7] = np.nan
    with_gap = np.asarray(draw(signal[None]))[0]
    whole = np.asarray(draw(beats[None]))[0]
    sheet = make_sheet(**_SIZE)
    scale = sheet.px_per_mm
    strip = next(s for s in sheet.strips if s.lead == "V2")
    band = np.s_[
        round((strip.baseline_mm - 15) * scale) : round((strip.baseline_mm + 15) * scale),
        round(strip.x_mm * scale) + 1 : round((strip.x_mm + strip.width_mm) * scale) - 1,
    ]
    np.testing.assert_array_equal(with_gap[band], blank[band])
    assert (whole[band] < blank[band]).any()
    assert blank[band].min() < 120


def test_the_grey_picture_is_the_luminance_of_the_coloured_one(draw, beats):
    in_colour = make_drawer(make_sheet(**_SIZE, channels=3), rate_hz=500.0)
    colour = np.asarray(in_colour(beats[None]))
    assert colour.shape == (1, 192, 256, 3)
    luminance = colour @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(luminance, np.asarray(draw(beats[None]))[..., 0], atol=1.0)
    # A red grid on pale paper: red outshines green and blue everywhere but under the pen.
    assert (colour[..., 0].astype(int) - colour[..., 2]).mean() > 5


def test_the_signal_can_be_read_back_from_the_bytes(beats):
    sheet = make_sheet("12x1", height=850, width=1100)
    draw = make_drawer(sheet, rate_hz=500.0)
    signal = np.full((2, 12, 5000), np.nan, np.float32)
    signal[0, 5] = 0.6 * np.sin(2 * np.pi * 0.9 * np.arange(5000) / 500)
    picture, blank = np.asarray(draw(signal), np.float64)[:, :, :, 0]
    scale = sheet.px_per_mm
    strip = next(s for s in sheet.strips if s.lead == "aVF")
    columns = np.arange(round((strip.x_mm + 12) * scale), round((strip.x_mm + 248) * scale))
    ink = ((blank - picture) / (blank - 25))[:, columns]
    centroid = (np.arange(850) + 0.5) @ ink / ink.sum(axis=0)
    seconds = ((columns + 0.5) / scale - strip.x_mm) / 25
    read_mv = (strip.baseline_mm - centroid / scale) / 10
    expected_mv = 0.6 * np.sin(2 * np.pi * 0.9 * seconds)
    assert np.abs(read_mv - expected_mv).max() < 0.25 / (10 * scale)


def test_equal_sheets_share_a_drawer(draw):
    assert make_drawer(make_sheet(**_SIZE), rate_hz=500.0) is draw


def test_a_real_recording_covers_every_row(real_data, draw):
    import wfdb

    header = sorted((real_data / "ptb-xl" / "records500").glob("*/*.hea"))[0]
    signal = wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T.astype(np.float32)
    blank = np.asarray(draw(np.full((1, 12, 5000), np.nan, np.float32)))[0]
    inked = (np.asarray(draw(signal[None]))[0] != blank).any(axis=2)
    sheet = make_sheet(**_SIZE)
    for strip in sheet.strips:
        left, right = strip.x_mm * sheet.px_per_mm, (strip.x_mm + strip.width_mm) * sheet.px_per_mm
        assert inked[:, round(left) + 1 : round(right) - 1].any(axis=0).all()


def test_wrong_signals_and_rates_are_refused(draw):
    with pytest.raises(InputError, match=r"shape \(1, 3, 1000\).*12 leads"):
        draw(np.zeros((1, 3, 1000), np.float32))
    with pytest.raises(InputError, match=r"cannot draw samples at 0\.0 Hz"):
        make_drawer(make_sheet(), rate_hz=0.0)
    sheets = [make_sheet(**_SIZE), make_sheet(height=64, width=96)]
    with pytest.raises(InputError, match=r"sheets of one size, .*\(64, 96, 1\), \(192, 256, 1\)"):
        make_deck(sheets, rate_hz=500.0)


@pytest.mark.parametrize("size", [(192, 256), (384, 512)])
def test_a_sheet_in_a_deck_is_drawn_as_if_alone(beats, size):
    sheets = [
        make_sheet(layout, height=size[0], width=size[1], mm_per_s=speed, mm_per_mv=gain)
        for layout, speed, gain in (("12x1", 25.0, 10.0), ("3x4+1", 50.0, 5.0), ("6x2", 25.0, 20.0))
    ]
    deck = make_deck(sheets, rate_hz=500.0)
    which = np.array([2, 0, 1, 2])
    signals = np.stack([beats, beats, 0.5 * beats, -beats])
    together = np.asarray(jax.jit(lambda s, w: dealt(deck, s, w).image)(signals, which))
    for picture, signal, index in zip(together, signals, which, strict=True):
        alone = np.asarray(make_drawer(sheets[index], rate_hz=500.0)(signal[None]))[0]
        # Fused differently the last bit of a coverage differs, and a pixel may round the other way.
        assert np.abs(picture.astype(int) - alone).max() <= 1
        assert (picture != alone).mean() < 1e-3


def test_the_ink_is_what_the_picture_shows_less_of(beats):
    sheet = make_sheet(**_SIZE)
    deck = make_deck([sheet], rate_hz=500.0)
    signals = np.stack([beats, np.full_like(beats, np.nan)])
    drawn = jax.jit(lambda s: dealt(deck, s, jnp.zeros(2, jnp.int32)))(signals)
    picture, blank = np.asarray(drawn.image, np.float64)
    ink = np.asarray(drawn.ink)[0]
    assert np.asarray(drawn.ink)[1].max() == 0
    black = deck.ink[0, 0]
    np.testing.assert_allclose(picture, blank + (black - blank) * ink, atol=1.0)
