"""Where on a page the sheet lies that a layout describes: told by the ink, wherever it was cut."""

import numpy as np
import scipy.fft
from jaxtyping import Float, Float32
from PIL import Image


def offset_of(
    ink: Float32[np.ndarray, "h w"], template: Float32[np.ndarray, "H W"], *, reach_px: int
) -> tuple[float, float]:
    """Row and column of the page at which the template's upper left corner fits best.

    The largest correlation of the two over all offsets up to `reach_px` from where their centres
    meet; between whole pixels by the parabola through it and its neighbours.

    Args:
        ink: share of each pixel of the page that is covered.
        template: the same of a sheet without a signal: baselines, names of leads, pulses.
        reach_px: at most so far, up or down, left or right.
    """
    least = np.add(ink.shape, template.shape) + 2
    size = tuple(scipy.fft.next_fast_len(int(length), real=True) for length in least)
    centred = template - template.mean()
    spectrum = scipy.fft.rfft2(ink, size) * np.conj(scipy.fft.rfft2(centred, size))
    correlation = scipy.fft.irfft2(spectrum, size)
    middle = [(page - sheet) // 2 for page, sheet in zip(ink.shape, template.shape, strict=True)]
    # One more than may be reached, so that the farthest has neighbours, too.
    reach = np.arange(-reach_px - 1, reach_px + 2)
    # Offsets below zero are at the far end of a circular correlation.
    rows, columns = ((m + reach) % n for m, n in zip(middle, size, strict=True))
    near = correlation[np.ix_(rows, columns)]
    best = near[1:-1, 1:-1].argmax()
    down, right = (int(i) + 1 for i in np.unravel_index(best, near[1:-1, 1:-1].shape))
    between = _vertex(near[down - 1 : down + 2, right]), _vertex(near[down, right - 1 : right + 2])
    return (
        middle[0] + int(reach[down]) + between[0],
        middle[1] + int(reach[right]) + between[1],
    )


def _vertex(values: Float[np.ndarray, "3"]) -> float:
    """Where the parabola through three values has its top, within half a step of the second."""
    before, top, after = values
    bent = before - 2 * top + after
    return float(np.clip(0.5 * (before - after) / bent, -0.5, 0.5)) if bent < 0 else 0.0


def window(
    ink: Float32[np.ndarray, "h w"],
    *,
    centre: tuple[float, float],
    scale: float,
    shape: tuple[int, int],
) -> Float32[np.ndarray, "H W"]:
    """A part of the page at another scale, empty where the page ends.

    Args:
        ink: share of each pixel that is covered.
        centre: of the part, down and across, in pixels of the page.
        scale: pixels of the part for one of the page.
        shape: of the part.
    """
    half = [length / scale / 2 for length in shape]
    margin = [
        int(np.ceil(max(0.0, h - c, c + h - length))) + 1
        for h, c, length in zip(half, centre, ink.shape, strict=True)
    ]
    padded = Image.fromarray(np.pad(ink, [(m, m) for m in margin]))
    top, left = (c - h + m for c, h, m in zip(centre, half, margin, strict=True))
    box = (left, top, left + 2 * half[1], top + 2 * half[0])
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    return np.asarray(padded.resize(shape[::-1], method, box)).clip(0, 1)


def likeness(one: Float32[np.ndarray, "h w"], other: Float32[np.ndarray, "h w"]) -> float:
    """Pearson's correlation of two pictures; 0 where one of them is all alike."""
    deviations = [picture - picture.mean() for picture in (one, other)]
    norm = float(np.prod([np.linalg.norm(deviation) for deviation in deviations]))
    return float((deviations[0] * deviations[1]).sum()) / norm if norm > 0 else 0.0
