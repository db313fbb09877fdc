import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import fft

from ecgmae_jax.rendering.scan import jpeg
from ecgmae_jax.rendering.scan.view import View


def through_pillow(picture, quality):
    file = io.BytesIO()
    shown = picture[:, :, 0] if picture.shape[2] == 1 else picture
    Image.fromarray(shown).save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file), np.float64).reshape(picture.shape), Image.open(file)


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 95])
def test_quantisation_steps_are_those_pillow_writes(page, colour_page, quality):
    _, file = through_pillow(colour_page, quality)
    for table, ours in ((0, jpeg.LUMINANCE), (1, jpeg.CHROMINANCE)):
        steps = np.asarray(jpeg.quantisation_steps(ours, jnp.float32(quality)))
        np.testing.assert_array_equal(steps, file.quantization[table])


@pytest.mark.parametrize("quality", [10, 60, 90])
def test_grey_pictures_are_those_of_libjpeg(apply, view, draws, page, quality):
    noisy = page + np.random.default_rng(0).integers(-9, 9, page.shape).astype(np.uint8)
    ours = apply(jpeg.jpeg, noisy, quality, draws(0), view)
    pillows, _ = through_pillow(noisy, quality)
    # libjpeg transforms in whole numbers, so that amounts near half a step go another way.
    assert np.abs(ours - pillows).mean() < 0.5
    assert (np.abs(ours - pillows) <= 2).mean() > 0.97


@pytest.mark.parametrize("quality", [30, 85])
def test_coloured_pictures_are_those_of_libjpeg(apply, draws, quality):
    # Sides that are no multiples of a block.
    y, x = np.mgrid[:59, :83]
    waves = [np.sin(x / 7 + c) * np.cos(y / (5 + c)) * 90 + 128 for c in range(3)]
    picture = np.stack(waves, -1).astype(np.uint8)
    ours = apply(jpeg.jpeg, picture, quality, draws(0), View(59, 83, 3, 1.0))
    pillows, _ = through_pillow(picture, quality)
    # Where sides are odd the borders are padded differently before colour is halved.
    inside = np.s_[:48, :80]
    assert np.abs(ours - pillows)[inside].mean() < 0.8
    assert (np.abs(ours - pillows)[inside] <= 4).mean() > 0.97


def test_blocks_are_transformed_and_rounded(apply, draws):
    rng = np.random.default_rng(1)
    block = rng.integers(0, 256, (8, 8, 1)).astype(np.uint8)
    steps = np.asarray(jpeg.quantisation_steps(jpeg.LUMINANCE, jnp.float32(40))).reshape(8, 8)
    coefficients = np.round(fft.dctn(block[:, :, 0] - 128.0, norm="ortho") / steps) * steps
    expected = np.clip(np.round(fft.idctn(coefficients, norm="ortho") + 128), 0, 255)
    picture = np.tile(block, (4, 4, 1))
    ours = apply(jpeg.jpeg, picture, 40, draws(0), View(32, 32, 1, 1.0))
    np.testing.assert_allclose(ours[:, :, 0], np.tile(expected, (4, 4)), atol=1)


def test_the_best_quality_changes_little(apply, view, draws, page):
    assert np.abs(apply(jpeg.jpeg, page, 100, draws(0), view) - page).max() <= 1


def test_steps_follow_quality():
    qualities = jnp.arange(1.0, 101.0)
    steps = jax.vmap(lambda q: jpeg.quantisation_steps(jpeg.LUMINANCE, q))(qualities)
    assert (np.diff(np.asarray(steps), axis=0) <= 0).all()
    assert np.asarray(steps)[-1].max() == 1
