"""Pictures compared: equal to the pixel, or the same recording stored anew."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator

import numpy as np
import scipy.fft
from jaxtyping import Float32
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import read_picture

_SIDE = 256
_FREQUENCIES = 48
_LOWEST = 4
_ROWS_AT_ONCE = 512

# Pictures alike by more than this are reported: docs/clinical.md has the measurements behind it.
# What all pictures have in common, such as one machine's form, is known from this many on; with
# fewer, forms alone make pictures alike.
_ENOUGH_TO_CENTRE = 20
ALIKE_CENTRED = 0.75
ALIKE_AS_THEY_ARE = 0.9


@dataclasses.dataclass(frozen=True, eq=False)
class PictureHash:
    """What is kept of a picture to compare it with others.

    Attributes:
        exact: SHA-256 of its size and pixels.
        waves: see `low_frequencies`.
    """

    exact: str
    waves: Float32[np.ndarray, " m"]


def hash_picture(path: pathlib.Path) -> PictureHash | RejectedRecord:
    """The hashes of a file's picture, or why it cannot be read; for worker processes."""
    try:
        page, _ = read_picture(path, record_id="", channels=3)
    except RejectedRecord as fault:
        return fault
    digest = hashlib.sha256(f"{page.size}".encode())
    digest.update(page.tobytes())
    return PictureHash(digest.hexdigest(), low_frequencies(page))


def low_frequencies(page: Image.Image) -> Float32[np.ndarray, " m"]:
    """The picture's cosine transform up to 48 half waves a side, but for the lowest.

    As in the perceptual hash by cosine transform (Zauner 2010), with more frequencies and their
    strengths instead of 64 signs: sheets of one machine differ in thin lines alone. The lowest are
    light and the margins of the page.
    """
    small = page.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    spectrum = np.asarray(scipy.fft.dctn(np.asarray(small, np.float32), norm="ortho"))
    kept = np.ones((_FREQUENCIES, _FREQUENCIES), bool)
    kept[:_LOWEST, :_LOWEST] = False
    return spectrum[:_FREQUENCIES, :_FREQUENCIES][kept]


def pairs_alike(waves: Float32[np.ndarray, "n m"]) -> Iterator[tuple[int, int, float]]:
    """Pairs of pictures that may be one recording, each once, and how alike they are, up to 1.

    The cosine between the square roots of their waves' strengths, less what is common to all.
    """
    limit = ALIKE_AS_THEY_ARE
    if len(waves) >= _ENOUGH_TO_CENTRE:
        limit = ALIKE_CENTRED
        waves = waves - np.median(waves, axis=0)
    roots = np.sign(waves) * np.sqrt(np.abs(waves))
    # A blank page has no waves, and is like nothing.
    roots /= np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-3)
    for start in range(0, len(roots), _ROWS_AT_ONCE):
        likeness = roots[start : start + _ROWS_AT_ONCE] @ roots[start:].T
        for first, second in zip(*np.nonzero(likeness > limit), strict=True):
            if first < second:
                pair = start + int(first), start + int(second)
                yield *pair, min(1.0, float(likeness[first, second]))
