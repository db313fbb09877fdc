"""The reference drawer: ecg-plot 0.2.8 itself, slow, because published work used its pictures."""

import importlib.metadata

import ecg_plot
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ecgmae_jax.errors import InputError

# 0.3.0 draws other pictures under the same name.
_VERSION = "0.2.8"


def draw_with_ecg_plot(
    signal_mv: Float[np.ndarray, "l t"],
    *,
    rate_hz: float,
    height: int,
    width: int,
    channels: int,
    columns: int = 2,
) -> UInt8[np.ndarray, "h w c"]:
    """The picture ecg-plot's `plot` makes of twelve leads in standard order.

    It is drawn at ecg-plot's own size, 100 pixels a second and 120 a row, and averaged down to
    `height` x `width`, by unequal factors in x and y as those numbers ask. Every column shows the
    same seconds. All samples are drawn; NaN leaves a gap.

    Raises:
        InputError: if another version of ecg-plot is installed, for channels other than 1 and 3,
            or for one of the few lengths that ecg-plot 0.2.8 cannot draw.
    """
    if (found := importlib.metadata.version("ecg-plot")) != _VERSION:
        raise InputError(
            f"ecg-plot {found} is installed: the reference pictures are those of {_VERSION}; "
            f"run: pip install ecg-plot=={_VERSION}"
        )
    if channels not in (1, 3):
        raise InputError(f"channels={channels}: a picture has 1 (grey) or 3 (RGB)")
    num_samples = signal_mv.shape[1]
    if len(np.arange(0, num_samples * (1 / rate_hz), 1 / rate_hz)) != num_samples:
        raise InputError(
            f"ecg-plot {_VERSION} cannot draw {num_samples} samples at {rate_hz} Hz: its time axis "
            "comes out one sample too long; drop the last sample"
        )
    picture = Image.fromarray(_plotted(signal_mv, rate_hz=rate_hz, columns=columns))
    picture = picture.convert("RGB" if channels == 3 else "L")
    picture = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(picture).reshape(height, width, channels)


def _plotted(
    signal_mv: Float[np.ndarray, "l t"], *, rate_hz: float, columns: int
) -> UInt8[np.ndarray, "h w c"]:
    """RGBA as ecg-plot and matplotlib's own defaults draw it, whatever the user's settings."""
    plt.switch_backend("Agg")
    with plt.style.context("default"):
        ecg_plot.plot(signal_mv, sample_rate=rate_hz, columns=columns)
        figure = plt.gcf()
        try:
            figure.canvas.draw()
            return np.array(figure.canvas.buffer_rgba())
        finally:
            plt.close(figure)
