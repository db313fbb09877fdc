"""Where on a page the sheet lies that a layout describes: told by the ink, wherever it was cut."""

import numpy as np
from jaxtyping import Float32


def offset_of(
    ink: Float32[np.ndarray, "h w"], template: Float32[np.ndarray, "H W"], *, reach_px: int
) -> tuple[int, int]:
    """Row and column of the page at which the template's upper left corner fits best.

    The largest correlation of the two over all offsets by whole pixels, up to `reach_px` from
    where their centres meet.

    Args:
        ink: share of each pixel of the page that is covered.
        template: the same of a sheet without a signal: baselines, names of leads, pulses.
        reach_px: at most so far, up or down, left or right.
    """
    size = tuple(np.add(ink.shape, template.shape))
    centred = template - template.mean()
    spectrum = np.fft.rfft2(ink, size) * np.conj(np.fft.rfft2(centred, size))
    correlation = np.fft.irfft2(spectrum, size)
    middle = [(page - sheet) // 2 for page, sheet in zip(ink.shape, template.shape, strict=True)]
    reach = np.arange(-reach_px, reach_px + 1)
    # Offsets below zero are at the far end of a circular correlation.
    rows, columns = ((m + reach) % n for m, n in zip(middle, size, strict=True))
    near = correlation[np.ix_(rows, columns)]
    down, right = np.unravel_index(near.argmax(), near.shape)
    return middle[0] + int(down) - reach_px, middle[1] + int(right) - reach_px


def window(
    ink: Float32[np.ndarray, "h w"], *, top: int, left: int, height: int, width: int
) -> Float32[np.ndarray, "height width"]:
    """A part of the page, empty where the page ends."""
    seen = np.zeros((height, width), np.float32)
    rows = slice(max(0, top), min(ink.shape[0], top + height))
    columns = slice(max(0, left), min(ink.shape[1], left + width))
    kept = ink[rows, columns]
    down, right = max(0, -top), max(0, -left)
    seen[down : down + kept.shape[0], right : right + kept.shape[1]] = kept
    return seen


def likeness(one: Float32[np.ndarray, "h w"], other: Float32[np.ndarray, "h w"]) -> float:
    """Pearson's correlation of two pictures; 0 where one of them is all alike."""
    deviations = [picture - picture.mean() for picture in (one, other)]
    norm = float(np.prod([np.linalg.norm(deviation) for deviation in deviations]))
    return float((deviations[0] * deviations[1]).sum()) / norm if norm > 0 else 0.0
