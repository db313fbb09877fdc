"""Small files that ask for much: refused before the memory or the time is taken."""

import io
import json
import struct
import zlib

import numpy as np
import pypdfium2
import pytest
from PIL import Image, PngImagePlugin

NOISE = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 96, height: int = 64, *more: bytes) -> bytes:
    """A PNG of that size, empty unless it has the usual one."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(97 * 64))
    body = [chunk(b"IHDR", header), *more, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, format=kind, **options)
    return file.getvalue()


def progressive(num_scans: int) -> bytes:
    """A JPEG whose last scan is there so many times more."""
    data = saved("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * num_scans + b"\xff\xd9"


def swelling_exif(size: int) -> bytes:
    """An EXIF block whose every entry names all of its bytes."""
    count = size // 24
    length = size - 16 - 12 * count
    entries = b"".join(
        struct.pack("<HHII", 700 + i, 7, length, size - length) for i in range(count)
    )
    start = struct.pack("<2sHIH", b"II", 42, 8, count) + entries + bytes(4)
    return start.ljust(size, b"\0")


def with_exif(block: bytes) -> bytes:
    """A JPEG with the block in as many segments as it takes, which Pillow joins."""
    data = saved("JPEG")
    pieces = [block[i : i + 65_000] for i in range(0, len(block), 65_000)]
    segments = [
        b"\xff\xe1" + struct.pack(">H", len(piece) + 8) + b"Exif\0\0" + piece for piece in pieces
    ]
    return data[:2] + b"".join(segments) + data[2:]


def swelling_tiff() -> bytes:
    """4 MB that Pillow would copy 60,000 times."""
    return swelling_exif(24 * 60_000).ljust(4_000_000, b"\0")


def endless_pages() -> bytes:
    """A TIFF of 100,000 empty pages."""
    entries = [(256, 3, 1, 9), (257, 3, 1, 9), (273, 4, 1, 8)]
    page = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    size = len(page) + 4
    pages = [page + struct.pack("<I", 8 + size * (i + 1)) for i in range(100_000)]
    return struct.pack("<2sHI", b"II", 42, 8) + b"".join(pages) + bytes(size)


def hex_exif() -> PngImagePlugin.PngInfo:
    """EXIF as older programs write it into a PNG, in hexadecimal digits."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", "\nexif\n 9\n" + "00" * 100_000, zip=True)
    return info


def pdf_page(width: float, height: float) -> bytes:
    document = pypdfium2.PdfDocument.new()
    document.new_page(width, height)
    file = io.BytesIO()
    document.save(file)
    document.close()
    return file.getvalue()


def pdf(*, page: bytes, more: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of one page with this content; `more` are objects from number 5 on."""
    resources = b"/Resources << /XObject << /P 5 0 R >> >>" if more else b""
    kids = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R " + resources
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        kids + b" >>",
        page,
        *more,
    ]
    body = b"".join(b"%d 0 obj %s endobj\n" % (i, item) for i, item in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def stream(content: bytes, *facts: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    head = b"<< /Filter /FlateDecode /Length %d %s >>" % (len(packed), b" ".join(facts))
    return head + b" stream\n" + packed + b"\nendstream"


def large_picture_in_a_pdf() -> bytes:
    facts = (b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000",)
    facts += (b"/ColorSpace /DeviceGray /BitsPerComponent 8",)
    return pdf(page=stream(b"300 0 0 200 0 0 cm /P Do"), more=(stream(bytes(10**6), *facts),))


TEXT_BOMB = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000), 9))
BOMBS = {
    "60,000 x 60,000 pixels": (png(60_000, 60_000), "too-large"),
    "9,700 x 9,700 pixels": (png(9_700, 9_700), "too-large"),
    "8,950 x 8,950 pixels": (png(8_950, 8_950), "too-large"),
    "a text of 20 MB in a PNG": (png(96, 64, TEXT_BOMB), "undecodable"),
    "EXIF that swells, in a JPEG": (with_exif(swelling_exif(1_000_000)), "undecodable"),
    "EXIF that swells, in a PNG": (
        png(96, 64, chunk(b"eXIf", swelling_exif(1_000_000))),
        "undecodable",
    ),
    "EXIF as digits, in a PNG": (saved("PNG", pnginfo=hex_exif()), "undecodable"),
    "a directory that swells, in a TIFF": (swelling_tiff(), "undecodable"),
    "100,000 pages": (endless_pages(), "too-large"),
    "a JPEG of 1,000 scans": (progressive(1_000), "undecodable"),
    "a page of five metres in a PDF": (pdf_page(14_000, 14_000), "too-large"),
    "60,000 x 60,000 pixels in a PDF": (large_picture_in_a_pdf(), "too-large"),
    "a PDF cut short": (pdf(page=stream(b"0 0 m"))[:200], "undecodable"),
}

READER = """
import pathlib
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import read_picture
def code(path):
    try:
        read_picture(path, record_id="r", channels=1)
    except RejectedRecord as rejected:
        return rejected.code
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, bounded):
    folder = tmp_path_factory.mktemp("bombs")
    for number, (content, _) in enumerate(BOMBS.values()):
        (folder / f"{number:02d}.png").write_bytes(content)
    files = f"sorted(pathlib.Path({json.dumps(str(folder))}).iterdir())"
    return bounded(READER, f"[code(path) for path in {files}]", gib=4, seconds=120)


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused(outcome, case):
    assert outcome.value[list(BOMBS).index(case)] == BOMBS[case][1]


def test_no_bomb_took_memory(outcome):
    assert outcome.peak_mib < 400
