import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.framing import fit_into, frame, place_at_scale


def test_fitting_keeps_the_aspect_ratio_and_fills_with_the_edge_colour():
    scan = Image.new("RGB", (400, 200), (250, 230, 220))
    scan.paste((0, 0, 0), (100, 50, 300, 150))
    framed = fit_into(scan, height=96, width=128, record_id="r")
    assert (framed.pixels.shape, framed.scale, framed.cut) == ((96, 128, 3), 0.32, 0)
    np.testing.assert_array_equal(framed.pixels[0, 0], (250, 230, 220))
    rows, columns = np.nonzero(framed.pixels[..., 0] < 125)
    assert (rows.min(), rows.max() + 1) == (32, 64)
    assert (columns.min(), columns.max() + 1) == (32, 96)


def test_shrinking_averages_over_areas():
    scan = np.random.default_rng(0).integers(0, 256, (128, 256), dtype=np.uint8)
    framed = fit_into(Image.fromarray(scan), height=32, width=64, record_id="r")
    means = scan.reshape(32, 4, 64, 4).mean(axis=(1, 3))
    assert framed.scale == 0.25
    # Rounded once along each axis.
    np.testing.assert_allclose(framed.pixels[..., 0], means, atol=1)


@pytest.mark.parametrize("size", [(40, 60), (4_000, 100)])
def test_scans_too_small_for_the_picture_are_refused(size):
    with pytest.raises(RejectedRecord, match=r"too-small: .* pixels for a picture of 512 x 384"):
        fit_into(Image.new("L", size), height=384, width=512, record_id="r")


def test_placing_keeps_every_pixel_and_cuts_evenly():
    ramp = np.arange(60 * 130, dtype=np.uint32).reshape(60, 130) % 251
    framed = place_at_scale(Image.fromarray(np.uint8(ramp)), height=80, width=124)
    assert framed.cut == pytest.approx(1 - 124 / 130)
    np.testing.assert_array_equal(framed.pixels[10:70, :, 0], ramp[:, 3:127])
    assert (framed.pixels[:10] == framed.pixels[0, 0]).all()


def test_a_scan_that_would_lose_too_much_is_shown_whole():
    tall = Image.new("L", (100, 200), 255)
    size = {"height": 100, "width": 120, "record_id": "r"}
    assert place_at_scale(tall, height=100, width=120) is None
    assert frame(tall, at_scale=True, **size).scale == 0.5
    assert frame(tall.crop((0, 0, 100, 103)), at_scale=True, **size).scale == 1
    assert frame(tall.crop((0, 0, 60, 50)), at_scale=False, **size).scale == 2
