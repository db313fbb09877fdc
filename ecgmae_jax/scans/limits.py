"""Limits on what a small file may make Pillow do: metadata that swells, passes without number.

Pillow itself refuses swelling texts and colour profiles in PNG files.
"""

import io
import math
from collections.abc import Mapping
from typing import Any

# Progressive JPEG: each scan costs a pass over the whole picture; encoders write about ten.
_MOST_SCANS = 200
# The directory of an EXIF block may name the same bytes thousands of times, each time copied. A
# block as large as one JPEG segment comes to 90 MB in this way.
_MOST_EXIF_BYTES = 2**16
# The directories of a TIFF may do the same; Pillow reads each of them a few times.
_MOST_READS = 8
_EXIF = b"Exif\x00\x00"
_APP1, _START_OF_SCAN = 0xE1, 0xDA


class MeteredBytes(io.BytesIO):
    """A file in memory that refuses to be read over and over until its directories are known."""

    def __init__(self, data: bytes):
        super().__init__(data)
        # Pillow asks for a few bytes again and again, even of a file that has no more.
        self._left = _MOST_READS * len(data) + 2**16

    def read(self, size: int | None = -1, /) -> bytes:
        """As that of every file; OSError once eight times the file's size has been read."""
        content = super().read(size)
        self._left -= len(content)
        if self._left < 0:
            raise OSError("its directories name the same bytes over and over")
        return content

    def end_metering(self) -> None:
        """Lets everything be read: strips are, in blocks of 64 kB, however short they are."""
        self._left = math.inf


def check_exif(info: Mapping[str, Any]) -> None:
    """Raises ValueError where a picture's `info` holds an EXIF block too large to be parsed."""
    # The second is what older programs write into PNG files, as hexadecimal digits.
    size = max(len(info.get("exif", b"")), len(info.get("Raw profile type exif", "")) // 2)
    if size > _MOST_EXIF_BYTES:
        raise ValueError(f"{size} bytes of EXIF; up to {_MOST_EXIF_BYTES} are read")


def check_jpeg(data: bytes) -> None:
    """Raises ValueError for a JPEG with scans without number, or EXIF too large to be parsed.

    Before Pillow opens it, which already parses EXIF and joins its segments before.
    """
    num_scans = data.count(bytes((0xFF, _START_OF_SCAN)))
    if num_scans > _MOST_SCANS:
        raise ValueError(f"{num_scans} scans; up to {_MOST_SCANS} are decoded")
    check_exif({"exif": b"".join(_exif_segments(data))})


def _exif_segments(data: bytes) -> list[bytes]:
    """Contents of the EXIF segments before the first scan, as Pillow finds them."""
    found, position = [], 0
    while position + 1 < len(data):
        # Segments may have fill bytes before them, and Pillow skips zeros after these.
        marker = data[position + 1]
        if data[position] != 0xFF or marker in (0x00, 0xFF):
            position += 1
            continue
        if marker == _START_OF_SCAN:
            break
        position += 2
        # Restarts, start and end stand alone; all others say their length.
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        segment = data[position + 2 : position + length]
        if marker == _APP1 and segment.startswith(_EXIF):
            found.append(segment[len(_EXIF) :])
        position += max(length, 2)
    return found
