"""What is stored of a segment: its picture as a PNG file, or its samples as integers."""

import dataclasses
import io
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Int16, UInt8
from PIL import Image

from ecgmae_jax.records.resampling import resample
from ecgmae_jax.records.segments import Segment
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.sheet import Sheet

RATE_HZ = 500.0
WINDOW_S = 10.0
NUM_SAMPLES = round(RATE_HZ * WINDOW_S)
UV_PER_LSB = 1.0
MISSING = np.int16(-32768)
PICTURES_PER_CALL = 16


@dataclasses.dataclass(frozen=True)
class Form:
    """What an example holds of its segment: a drawn sheet, or the samples where `sheet` is None."""

    sheet: Sheet | None
    renderer: str = "jax"


def window(segment: Segment) -> Float32[np.ndarray, "12 t"]:
    """The segment at RATE_HZ without offsets, NaN after its end where it is a short one.

    The median of each lead is 0, as on paper: every recorder leaves direct current out, some
    files do not, and a lead 4 mV off its place is drawn among the others.
    """
    signal = resample(segment.signal_mv, from_hz=segment.rate_hz, to_hz=RATE_HZ)[:, :NUM_SAMPLES]
    recorded = ~np.isnan(signal).all(axis=1)
    signal[recorded] -= np.nanmedian(signal[recorded], axis=1, keepdims=True)
    rest = NUM_SAMPLES - signal.shape[1]
    return np.pad(signal, ((0, 0), (0, rest)), constant_values=np.nan)


def contents(signals: Float32[np.ndarray, "b 12 t"], form: Form) -> list[dict[str, Any]]:
    """The feature `image` or `signal` of each of at most PICTURES_PER_CALL windows."""
    if form.sheet is None:
        return [{"signal": as_int16(signal)} for signal in signals]
    if form.renderer == "ecg_plot":
        pictures = [_drawn_by_ecg_plot(signal, form.sheet) for signal in signals]
    else:
        pictures = _drawn(signals, form.sheet)
    return [{"image": as_png(picture)} for picture in pictures]


def _drawn(signals: Float32[np.ndarray, "b 12 t"], sheet: Sheet) -> UInt8[np.ndarray, "b h w c"]:
    draw = make_drawer(sheet, num_samples=NUM_SAMPLES, rate_hz=RATE_HZ)
    # One batch size for every call: one compilation.
    filler = np.full((PICTURES_PER_CALL - len(signals), *signals.shape[1:]), np.nan, np.float32)
    return np.asarray(draw(jnp.concatenate([signals, filler])))[: len(signals)]


def _drawn_by_ecg_plot(
    signal: Float32[np.ndarray, "12 t"], sheet: Sheet
) -> UInt8[np.ndarray, "h w c"]:
    # It brings matplotlib, which no other form needs.
    from ecgmae_jax.rendering.ecg_plot_reference import draw_with_ecg_plot

    return draw_with_ecg_plot(
        signal, rate_hz=RATE_HZ, height=sheet.height, width=sheet.width, channels=sheet.channels
    )


def as_int16(signal_mv: Float32[np.ndarray, "l t"]) -> Int16[np.ndarray, "l t"]:
    """Samples in units of UV_PER_LSB, MISSING where NaN; clipped at ±32.767 mV."""
    lsb = np.clip(np.rint(signal_mv * (1000.0 / UV_PER_LSB)), -32767, 32767)
    return np.where(np.isnan(lsb), MISSING, lsb).astype(np.int16)


def as_png(picture: UInt8[np.ndarray, "h w c"]) -> io.BytesIO:
    """The picture as a PNG file, which TFDS stores as it is."""
    file = io.BytesIO()
    # Level 1 is several times faster than the default and costs a few per cent of size.
    Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
        file, format="PNG", compress_level=1
    )
    file.seek(0)
    return file
