"""Every kind of picture a clinic may send: read right, or refused with a reason."""

import io
import os
import struct
import zlib

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import PDF_DPI, read_picture

RAMP = np.linspace(0, 255, 64 * 96).round().astype(np.uint8).reshape(64, 96)


def _read(path, *, channels=1):
    image, num_pages = read_picture(path, record_id="r", channels=channels)
    return np.asarray(image), num_pages


def _refusal(path):
    with pytest.raises(RejectedRecord) as caught:
        read_picture(path, record_id="r", channels=1)
    assert caught.value.record == "r"
    return caught.value


@pytest.fixture
def saved(tmp_path):
    def save(image, name, **options):
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "png_named.jpg"])
def test_lossless_grey_pictures_keep_every_pixel(saved, name):
    file_format = "PNG" if name.startswith("png") else None
    pixels, num_pages = _read(saved(Image.fromarray(RAMP), name, format=file_format))
    np.testing.assert_array_equal(pixels, RAMP)
    assert num_pages == 1


def test_jpeg_and_colour_channels(saved):
    colour = Image.fromarray(np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=-1))
    pixels, _ = _read(saved(colour, "a.jpg", quality=95, subsampling=0), channels=3)
    assert pixels.shape == (64, 96, 3)
    assert np.abs(pixels.astype(int) - np.asarray(colour)).mean() < 4


@pytest.mark.parametrize("full_scale", [4095, 65535])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_grey_is_scaled_not_clipped(saved, name, full_scale):
    wide = (RAMP / 255 * full_scale).round().astype(np.uint16)
    pixels, _ = _read(saved(Image.fromarray(wide), name))
    np.testing.assert_allclose(pixels, RAMP, atol=1)


def test_16_bit_where_white_is_zero(saved):
    wide = Image.fromarray(RAMP.astype(np.uint16) * 257)
    pixels, _ = _read(saved(wide, "a.tif", tiffinfo={262: 0}))
    np.testing.assert_array_equal(pixels, 255 - RAMP)


@pytest.mark.parametrize("full_scale", [1.0, 255.0])
def test_float_grey_is_scaled(saved, full_scale):
    pixels, _ = _read(saved(Image.fromarray(np.float32(RAMP / 255 * full_scale)), "a.tif"))
    np.testing.assert_array_equal(pixels, RAMP)


def test_floats_that_are_no_grey_levels_are_refused(saved):
    for value in (np.nan, -1.0):
        values = np.float32(RAMP)
        values[0, 0] = value
        refusal = _refusal(saved(Image.fromarray(values), "a.tif"))
        assert refusal.code == "undecodable"
        assert "no grey levels" in refusal.detail


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_white(saved, mode):
    transparent = Image.new("RGBA", (40, 32), (0, 0, 0, 0))
    transparent.paste((200, 0, 0, 255), (0, 0, 20, 32))
    kind = transparent.quantize(2) if mode == "P" else transparent.convert(mode)
    path = saved(kind, "a.png")
    pixels, _ = _read(path)
    assert (pixels[:, 21:] == 255).all()
    assert (pixels[:, :19] < 128).all()


def test_one_transparent_grey_level_is_white(saved):
    pixels, _ = _read(saved(Image.fromarray(RAMP), "a.png", transparency=0))
    np.testing.assert_array_equal(pixels, np.where(RAMP == 0, 255, RAMP))


def test_cmyk_and_bilevel(saved):
    white = Image.new("CMYK", (40, 32), (0, 0, 0, 0))
    assert (_read(saved(white, "a.jpg"))[0] > 250).all()
    lines = np.arange(40)[None].repeat(32, 0) % 2 == 1
    pixels, _ = _read(saved(Image.fromarray(lines), "b.tif", compression="group4"))
    np.testing.assert_array_equal(pixels, 255 * lines)


@pytest.mark.parametrize("bits", [8, 16])
def test_exif_rotation_is_applied(saved, bits):
    exif = Image.Exif()
    exif[274] = 6
    ramp = RAMP if bits == 8 else RAMP.astype(np.uint16) * 257
    pixels, _ = _read(saved(Image.fromarray(ramp), "a.tif" if bits == 16 else "a.png", exif=exif))
    np.testing.assert_array_equal(pixels, np.rot90(RAMP, -1))


def test_first_of_several_pages(saved):
    pages = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    pixels, num_pages = _read(saved(pages[0], "a.tif", save_all=True, append_images=pages[1:]))
    np.testing.assert_array_equal(pixels, RAMP)
    assert num_pages == 2


def test_first_page_of_a_pdf(saved):
    pages = [Image.new("L", (300, 200), grey) for grey in (100, 200)]
    path = saved(pages[0], "a.pdf", resolution=100, save_all=True, append_images=pages[1:])
    pixels, num_pages = _read(path)
    assert num_pages == 2
    assert pixels.shape == (200 * PDF_DPI / 100, 300 * PDF_DPI / 100)
    assert abs(np.median(pixels) - 100) <= 2


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_truncated_files_are_refused(saved, name, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    path = saved(Image.fromarray(noise), name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert _refusal(path).code in ("undecodable", "not-a-picture")


def test_a_flipped_byte_in_a_png_is_refused(saved):
    path = saved(Image.fromarray(RAMP), "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert _refusal(path).code == "undecodable"


def test_other_files_are_refused(tmp_path, saved):
    for content in (b"hello", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", os.urandom(500)):
        (tmp_path / "a.png").write_bytes(content)
        assert _refusal(tmp_path / "a.png").code == "not-a-picture"
    assert _refusal(saved(Image.fromarray(RAMP), "a.gif")).code == "not-a-picture"
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert _refusal(tmp_path / "a.pdf").code == "undecodable"
    (tmp_path / "a.png").write_bytes(b"")
    assert _refusal(tmp_path / "a.png").code == "empty-file"
    assert _refusal(tmp_path / "absent.png").code == "no-file"
    assert _refusal(tmp_path).code == "no-file"


def test_bombs_are_refused_before_decoding(tmp_path):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 9_000, 9_000, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(png)
    refusal = _refusal(tmp_path / "a.png")
    assert (refusal.code, refusal.detail) == (
        "too-large",
        "9000 x 9000 pixels; up to 80 million are decoded",
    )
    document = pypdfium2.PdfDocument.new()
    document.new_page(14_000, 14_000)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    (tmp_path / "a.pdf").write_bytes(buffer.getvalue())
    assert _refusal(tmp_path / "a.pdf").code == "too-large"
    with (tmp_path / "b.png").open("wb") as file:
        file.truncate(200 * 2**20)
    assert _refusal(tmp_path / "b.png").code == "too-large"
