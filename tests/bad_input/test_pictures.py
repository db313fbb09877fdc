"""What clinics and their machines send as pictures: read right, or refused before it costs."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import read_picture

RAMP = np.linspace(0, 255, 64 * 96).round().astype(np.uint8).reshape(64, 96)
NOISE = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def wide_png(pixels: np.ndarray, *, colour: int) -> bytes:
    """A PNG of 16 bits a channel; `colour` 2 for RGB, 4 for grey with alpha."""
    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2").reshape(height, -1).view("u1")
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    unfiltered = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(unfiltered)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def saved(pixels: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def palette() -> Image.Image:
    image = Image.fromarray(RAMP)
    return image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)


def transparent() -> Image.Image:
    image = Image.new("RGBA", (96, 64), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 48, 64))
    return image


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


BLACK_ON_NOTHING = np.repeat([[0] * 48 + [255] * 48], 64, axis=0)
READ = {
    "16-bit grey PNG": (saved(RAMP.astype(np.uint16) * 257, "PNG"), RAMP),
    "16-bit grey TIFF": (saved(RAMP.astype(np.uint16) * 257, "TIFF"), RAMP),
    "float TIFF from 0 to 1": (saved(np.float32(RAMP / 255), "TIFF"), RAMP),
    "16-bit RGB PNG": (
        wide_png(np.repeat(RAMP[..., None], 3, -1).astype(int) * 257, colour=2),
        RAMP,
    ),
    "16-bit grey PNG with alpha": (
        wide_png(np.stack([RAMP, np.full_like(RAMP, 255)], -1).astype(int) * 257, colour=4),
        RAMP,
    ),
    "palette": (saved(palette(), "PNG"), RAMP),
    "CMYK JPEG": (saved(Image.fromarray(RAMP).convert("CMYK"), "JPEG", quality=98), RAMP),
    "transparent background": (saved(transparent(), "PNG"), BLACK_ON_NOTHING),
    "transparent palette": (saved(transparent().quantize(4), "PNG"), BLACK_ON_NOTHING),
    **{
        f"EXIF orientation {orientation}": (saved(RAMP, "PNG", exif=turned(orientation)), expected)
        for orientation, expected in {
            1: RAMP,
            2: RAMP[:, ::-1],
            3: RAMP[::-1, ::-1],
            4: RAMP[::-1],
            5: RAMP.T,
            6: np.rot90(RAMP, -1),
            7: RAMP[::-1, ::-1].T,
            8: np.rot90(RAMP),
            77: RAMP,
        }.items()
    },
    "a PNG named .pdf": (saved(RAMP, "PNG"), RAMP),
}
BIG_TIFF = saved(RAMP, "TIFF", big_tiff=True)
PAGES = {
    "two pages of a TIFF": (
        saved(RAMP, "TIFF", save_all=True, append_images=[Image.fromarray(NOISE)]),
        2,
    ),
    "a PNG that moves": (
        saved(RAMP, "PNG", save_all=True, append_images=[Image.fromarray(NOISE)]),
        2,
    ),
    "BigTIFF": (BIG_TIFF, 1),
}


REFUSED = {
    "empty file": (b"", "empty-file"),
    "text": (b"hello, this is no picture\n", "not-a-picture"),
    "HTML": (b"<!doctype html><html></html>", "not-a-picture"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not-a-picture"),
    "DICOM": (bytes(128) + b"DICM" + bytes(64), "not-a-picture"),
    "GIF": (saved(RAMP, "GIF"), "not-a-picture"),
    "random bytes": (NOISE.tobytes(), "not-a-picture"),
    "JPEG cut by half": (saved(NOISE, "JPEG")[: len(saved(NOISE, "JPEG")) // 2], "undecodable"),
    "JPEG cut by two bytes": (saved(NOISE, "JPEG")[:-2], "undecodable"),
    "PNG cut": (saved(NOISE, "PNG")[:-200], "undecodable"),
    "PNG with a wrong checksum": (
        saved(NOISE, "PNG")[:-20] + b"\0\0\0\0" + saved(NOISE, "PNG")[-16:],
        "undecodable",
    ),
}


def write(folder, content: bytes, name: str = "a.png"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", READ)
def test_a_picture_is_read_right(watched, case):
    content, expected = READ[case]
    image, num_pages = read_picture(write(watched, content), record_id="r", channels=1)
    # JPEG and palettes lose a little.
    np.testing.assert_allclose(np.asarray(image), expected, atol=4)
    assert num_pages == 1


@pytest.mark.parametrize("case", PAGES)
def test_the_first_page_is_read_and_all_are_counted(watched, case):
    content, expected = PAGES[case]
    image, num_pages = read_picture(write(watched, content), record_id="r", channels=1)
    np.testing.assert_array_equal(np.asarray(image), RAMP)
    assert num_pages == expected


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_whole_picture_is_refused(watched, case):
    content, code = REFUSED[case]
    with pytest.raises(RejectedRecord) as caught:
        read_picture(write(watched, content), record_id="r", channels=1)
    assert caught.value.code == code, caught.value
    assert caught.value.detail.isprintable()
    assert str(watched) not in caught.value.detail


@pytest.mark.parametrize(
    ("make", "code"),
    [(os.mkfifo, "no-file"), (os.mkdir, "no-file"), (lambda path: None, "no-file")],
    ids=["a named pipe", "a folder", "missing"],
)
def test_only_files_are_opened(watched, make, code):
    make(watched / "a.png")
    with pytest.raises(RejectedRecord) as caught:
        read_picture(watched / "a.png", record_id="r", channels=1)
    assert caught.value.code == code
