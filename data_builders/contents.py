"""What is stored of a segment: its picture as a PNG file, or its samples as integers."""

import dataclasses
import functools
import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float32, Int16, UInt8
from PIL import Image

from ecgmae_jax.records.resampling import resample
from ecgmae_jax.records.segments import Segment
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.rendering.sheet import Sheet

RATE_HZ = 500.0
WINDOW_S = 10.0
NUM_SAMPLES = round(RATE_HZ * WINDOW_S)
UV_PER_LSB = 1.0
MISSING = np.int16(-32768)
PICTURES_PER_CALL = 16


@dataclasses.dataclass(frozen=True)
class Form:
    """What an example holds of its segment: a drawn sheet, or the samples where there is none.

    Attributes:
        sheets: those that the pictures are spread over at random.
        renderer: `jax`, or `ecg_plot` for the package's own drawing.
        scan: preset of what a scanner adds, or `off`.
        seed: of the choice of the sheet and of the scan.
    """

    sheets: tuple[Sheet, ...] = ()
    renderer: str = "jax"
    scan: str = "off"
    seed: int = 0


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


def contents(
    signals: Float32[np.ndarray, "b 12 t"], keys: Sequence[str], form: Form
) -> list[dict[str, Any]]:
    """What the examples hold of at most PICTURES_PER_CALL windows, by their unique keys."""
    if not form.sheets:
        return [{"signal": as_int16(signal)} for signal in signals]
    if form.renderer == "ecg_plot":
        pictures = [_drawn_by_ecg_plot(signal, form.sheets[0]) for signal in signals]
        return [{"image": as_png(picture)} for picture in pictures]
    return _drawn(signals, keys, form)


def _drawn(
    signals: Float32[np.ndarray, "b 12 t"], keys: Sequence[str], form: Form
) -> list[dict[str, Any]]:
    # One batch size for every call: one compilation.
    rest = PICTURES_PER_CALL - len(signals)
    filler = np.full((rest, *signals.shape[1:]), np.nan, np.float32)
    # A number from the example's own name: its picture does not depend on its neighbours.
    digests = [hashlib.sha256(f"{form.seed}/{key}".encode()).digest()[:4] for key in keys]
    seeds = np.array([*(int.from_bytes(d, "big") for d in digests), *[0] * rest], np.uint32)
    images, outside, which = _make_drawing(form)(np.concatenate([signals, filler]), seeds)
    made = zip(
        *(np.asarray(part)[: len(signals)] for part in (images, outside, which)), strict=True
    )
    several = len(form.sheets) > 1
    return [
        {"image": as_png(image), "ink_outside": share}
        | ({"sheet": index, "layout": form.sheets[index].layout.name} if several else {})
        for image, share, index in made
    ]


@functools.lru_cache(maxsize=4)
def _make_drawing(form: Form) -> Callable:
    """The jitted function (signals, seeds) -> pictures, shares of ink outside, sheets' indices."""
    deck = make_deck(form.sheets, rate_hz=RATE_HZ)
    first = form.sheets[0]

    @jax.jit
    def drawing(signals: Array, seeds: Array) -> tuple[Array, Array, Array]:
        keys = jax.vmap(lambda seed: jax.random.split(jax.random.key(seed)))(seeds)
        which = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(form.sheets)))(keys[:, 0])
        drawn = draw(deck, signals, which)
        if form.scan == "off":
            return drawn.image, drawn.ink_outside, which
        scan = make_scanner(
            preset(form.scan),
            height=first.height,
            width=first.width,
            channels=first.channels,
            px_per_mm=first.px_per_mm,
        )
        return scan(drawn.image, keys[:, 1])[0], drawn.ink_outside, which

    return drawing


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
