"""Scanned pictures, decoded strictly: what cannot be read whole and right is refused."""

import contextlib
import pathlib
import stat
import warnings
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffTags import TAGS_V2_GROUPS

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans import limits, pdf

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".pdf"})
PDF_DPI = 200
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
_MOST_BYTES = 128 * 2**20
# An A3 page at 600 dpi has 70 million pixels; Pillow itself warns from 89 million on.
_MOST_PIXELS = 80_000_000
_MOST_PAGES = 1000
# Scanners that deliver more than 8 bits use 8, 12 or 16 of them; floats go to 1 or to these.
_FULL_SCALES = (255, 4095, 65535)
_WHITE_IS_ZERO = 0
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: pathlib.Path, *, record_id: str, channels: int) -> tuple[Image.Image, int]:
    """The first page upright on white, and the number of pages.

    PNG, JPEG, TIFF, BMP and PDF, told by their content; nothing else is tried.

    Args:
        path: a file whose place has been checked.
        record_id: the name a rejection carries.
        channels: 1 for a grey picture (mode L), 3 for colour (mode RGB).

    Raises:
        RejectedRecord: for every fault of the file.
    """
    data = _bytes_of(path, record_id)
    decode = _decode_pdf if b"%PDF-" in data[:1024] else _decode_image
    try:
        # A warning of a decoder means pixels that nobody can vouch for.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            page, num_pages = decode(data, record_id)
            return _flat(page).convert("L" if channels == 1 else "RGB"), num_pages
    except RejectedRecord:
        raise
    # Decoders raise whatever their parsing ran into: OSError, SyntaxError, struct.error and more.
    except Exception as fault:
        detail = " ".join(str(fault).split()) or type(fault).__name__
        raise RejectedRecord(record_id, "undecodable", detail) from fault


def _bytes_of(path: pathlib.Path, record_id: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RejectedRecord(record_id, "no-file", "not a regular file")
        if not 0 < status.st_size <= _MOST_BYTES:
            code = "too-large" if status.st_size else "empty-file"
            detail = f"{status.st_size} bytes; up to {_MOST_BYTES} are read"
            raise RejectedRecord(record_id, code, detail)
        return path.read_bytes()
    except OSError as fault:
        raise RejectedRecord(record_id, "no-file", fault.strerror or "unreadable") from fault


def _decode_image(data: bytes, record_id: str) -> tuple[Image.Image, int]:
    if data.startswith(b"\xff\xd8"):
        limits.check_jpeg(data)
    file = limits.MeteredBytes(data)
    try:
        image = Image.open(file, formats=_FORMATS)
    except Image.UnidentifiedImageError as fault:
        detail = "neither PNG, JPEG, TIFF, BMP nor PDF, or damaged in its header"
        raise RejectedRecord(record_id, "not-a-picture", detail) from fault
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise _too_large("far more pixels than a page has", record_id) from fault
    if image.width * image.height > _MOST_PIXELS:
        raise _too_large(f"{image.width} x {image.height} pixels", record_id)
    num_pages = _num_pages(image, record_id)
    file.end_metering()
    image.load()
    limits.check_exif(image.info)
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    inverted = image.format == "TIFF" and image.mode.startswith("I;16") and _white_is_zero(image)
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image, inverted=inverted)
    return image if turn is None else image.transpose(turn), num_pages


def _too_large(found: str, record_id: str) -> RejectedRecord:
    detail = f"{found}; up to {_MOST_PIXELS / 1e6:.0f} million are decoded"
    return RejectedRecord(record_id, "too-large", detail)


def _num_pages(image: Image.Image, record_id: str) -> int:
    """The pages of a TIFF or the frames of a PNG; the picture is left at its first."""
    # Phones put thumbnails and depth maps behind a JPEG (MPO), which are no pages.
    if image.format != "TIFF":
        return image.n_frames if isinstance(image, PngImageFile) else 1
    num_pages = 1
    # `n_frames` walks through the pages of a TIFF, however many it claims.
    with contextlib.suppress(EOFError):
        while num_pages <= _MOST_PAGES:
            image.seek(num_pages)
            num_pages += 1
    if num_pages > _MOST_PAGES:
        raise RejectedRecord(record_id, "too-large", f"more than {_MOST_PAGES} pages")
    image.seek(0)
    # What Pillow reads once it has the pixels, read while the meter runs.
    exif = image.getexif()
    for group in TAGS_V2_GROUPS:
        if group in exif:
            exif.get_ifd(group)
    return num_pages


def _white_is_zero(image: Any) -> bool:
    # Pillow turns such pictures round where they have 8 bits, not where they have 16.
    return image.tag_v2.get(262) == _WHITE_IS_ZERO


def _eight_bits(image: Image.Image, *, inverted: bool) -> Image.Image:
    """The picture in 8 bits: full scale is the smallest usual one that holds the brightest pixel.

    Pillow's own conversion clips, which makes most of a 16-bit picture white.
    """
    values = np.asarray(image)
    lowest, highest = float(values.min()), float(values.max())
    candidates = _FULL_SCALES if image.mode != "F" else (1, *_FULL_SCALES)
    fitting = [scale for scale in candidates if highest <= scale]
    # NaN compares false, too.
    if not (lowest >= 0 and fitting):
        raise ValueError(f"values from {lowest:g} to {highest:g} are no grey levels")
    full_scale = 65535 if inverted else fitting[0]
    # In place, in the smallest type that rounds as exact fractions do: a page has 70 MB as it is.
    scaled = values.astype(np.float32)
    scaled *= 255 / full_scale
    grey = np.rint(scaled, out=scaled).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)


def _decode_pdf(data: bytes, record_id: str) -> tuple[Image.Image, int]:
    try:
        return pdf.first_page(data, dpi=PDF_DPI, most_pixels=_MOST_PIXELS)
    except pdf.TooLarge as fault:
        raise _too_large(str(fault), record_id) from fault


def _flat(image: Image.Image) -> Image.Image:
    """The picture over white where it is transparent, in a mode that turns grey or RGB."""
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image.convert("RGB"), mask=image.getchannel("A"))
        return white
    return image.convert("RGB") if image.mode not in ("1", "L", "RGB") else image
