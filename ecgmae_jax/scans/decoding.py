"""Scanned pictures, decoded strictly: what cannot be read whole and right is refused."""

import io
import pathlib
import stat
import warnings
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ecgmae_jax.records.recording import RejectedRecord

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".pdf"})
PDF_DPI = 200
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
_MOST_BYTES = 128 * 2**20
# An A3 page at 600 dpi has 70 million pixels; Pillow itself warns from 89 million on.
_MOST_PIXELS = 80_000_000
# Scanners that deliver more than 8 bits use 8, 12 or 16 of them; floats go to 1 or to these.
_FULL_SCALES = (255, 4095, 65535)
_WHITE_IS_ZERO = 0


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


def _check_size(width: int | float, height: int | float, record_id: str) -> None:
    if width * height > _MOST_PIXELS:
        detail = f"{width:.0f} x {height:.0f} pixels; up to {_MOST_PIXELS / 1e6:.0f} million"
        raise RejectedRecord(record_id, "too-large", f"{detail} are decoded")


def _decode_image(data: bytes, record_id: str) -> tuple[Image.Image, int]:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.UnidentifiedImageError as fault:
        detail = "neither PNG, JPEG, TIFF, BMP nor PDF, or damaged in its header"
        raise RejectedRecord(record_id, "not-a-picture", detail) from fault
    _check_size(*image.size, record_id)
    # Phones put thumbnails and depth maps behind a JPEG (MPO), which are no pages.
    num_pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    image.seek(0)
    image.load()
    inverted = image.format == "TIFF" and image.mode.startswith("I;16") and _white_is_zero(image)
    if image.mode.startswith(("I", "F")):
        turn = image.getexif().get(ExifTags.Base.Orientation)
        image = _eight_bits(image, inverted=inverted)
        image.getexif()[ExifTags.Base.Orientation] = turn or 1
    return ImageOps.exif_transpose(image), num_pages


def _white_is_zero(image: Any) -> bool:
    # Pillow turns such pictures round where they have 8 bits, not where they have 16.
    return image.tag_v2.get(262) == _WHITE_IS_ZERO


def _eight_bits(image: Image.Image, *, inverted: bool) -> Image.Image:
    """The picture in 8 bits: full scale is the smallest usual one that holds the brightest pixel.

    Pillow's own conversion clips, which makes most of a 16-bit picture white.
    """
    values = np.asarray(image).astype(np.float64)
    candidates = _FULL_SCALES if image.mode != "F" else (1, *_FULL_SCALES)
    fitting = [scale for scale in candidates if values.max() <= scale]
    # NaN compares false, too.
    if not (values.min() >= 0 and fitting):
        raise ValueError(f"values from {values.min():g} to {values.max():g} are no grey levels")
    full_scale = 65535 if inverted else fitting[0]
    grey = np.rint(values * (255 / full_scale)).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)


def _decode_pdf(data: bytes, record_id: str) -> tuple[Image.Image, int]:
    # PDFs are rare, and its library is as large as Pillow.
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        if len(document) == 0:
            raise RejectedRecord(record_id, "undecodable", "a PDF without pages")
        page = document[0]
        scale: Any = PDF_DPI / 72
        width, height = page.get_size()
        _check_size(width * scale, height * scale, record_id)
        return page.render(scale=scale, may_draw_forms=False).to_pil().copy(), len(document)
    finally:
        document.close()


def _flat(image: Image.Image) -> Image.Image:
    """The picture over white where it is transparent, in a mode that turns grey or RGB."""
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB") if image.mode not in ("1", "L", "RGB") else image
