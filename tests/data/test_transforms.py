import math
import pickle

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from PIL import ImageOps

from ecgmae_jax.data.images import to_array, to_pillow
from ecgmae_jax.data.rand_augment import POLICIES
from ecgmae_jax.data.transforms import (
    CentreCrop,
    HorizontalFlip,
    RandAugment,
    RandomErasing,
    RandomResizedCrop,
    RandomShift,
    Resize,
    ResizeShortEdge,
    ToChannels,
)
from ecgmae_jax.errors import InputError

HEIGHT, WIDTH = 30, 44
SAME_SIZE = [
    RandomShift(max_px=4),
    HorizontalFlip(),
    RandomErasing(probability=1.0),
    RandAugment(),
    RandAugment(policy="ecg_safe", fill=255),
]
OTHER_SIZE = [
    (RandomResizedCrop((20, 28)), (20, 28)),
    (Resize((17, 50)), (17, 50)),
    (ResizeShortEdge(15), (15, 22)),
    (CentreCrop((30, 10)), (30, 10)),
]


def apply(transform, image, seed=0):
    return transform({"image": image}, np.random.default_rng(seed))["image"]


def noise(channels, seed=0, size=(HEIGHT, WIDTH)):
    image = np.random.default_rng(seed).integers(0, 256, (*size, channels)).astype(np.uint8)
    image.flags.writeable = False
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("transform", "size"), [(t, (HEIGHT, WIDTH)) for t in SAME_SIZE] + OTHER_SIZE, ids=str
)
def test_shape_dtype_and_no_writing_in_place(transform, size, channels):
    image = noise(channels)
    for seed in range(20):
        result = apply(transform, image, seed)
        assert (result.shape, result.dtype) == ((*size, channels), np.uint8)
    np.testing.assert_array_equal(image, noise(channels))


@pytest.mark.parametrize("transform", SAME_SIZE, ids=str)
def test_the_generator_alone_decides_also_after_a_pickle(transform):
    copy = pickle.loads(pickle.dumps(transform))
    for seed in range(5):
        np.testing.assert_array_equal(apply(transform, noise(1), seed), apply(copy, noise(1), seed))


def test_other_features_pass_through():
    example = {"image": noise(1), "record_id": "a"}
    for transform in SAME_SIZE:
        assert transform(example, np.random.default_rng(0))["record_id"] == "a"


@hypothesis.given(st.integers(0, 9), st.integers(0, 2**32))
def test_shift_is_a_translation_with_repeated_edges(max_px, seed):
    image = noise(1, seed % 100)
    shifted = apply(RandomShift(max_px), image, seed)
    rows, columns = np.arange(HEIGHT), np.arange(WIDTH)
    offsets = range(-max_px, max_px + 1)
    assert any(
        np.array_equal(
            shifted,
            image[(rows + dy).clip(0, HEIGHT - 1)][:, (columns + dx).clip(0, WIDTH - 1)],
        )
        for dy in offsets
        for dx in offsets
    )


def test_shift_keeps_thickness_and_length_of_a_line():
    image = np.full((60, 80, 1), 255, np.uint8)
    image[30:33, 20:50] = 0
    tops = set()
    for seed in range(200):
        ink = apply(RandomShift(max_px=6), image, seed)[..., 0] == 0
        rows, columns = ink.any(1), ink.any(0)
        assert (rows.sum(), columns.sum(), ink.sum()) == (3, 30, 90)
        tops.add(int(rows.argmax()))
    assert tops == set(range(24, 37))


def test_crop_boxes_have_the_stated_areas_and_ratios():
    crop, height, width = RandomResizedCrop((8, 8)), 400, 400
    rng = np.random.default_rng(0)
    boxes = np.array([crop.box(height, width, rng) for _ in range(20_000)])
    top, left, h, w = boxes.T
    assert (boxes[:, :2] >= 0).all()
    assert (top + h <= height).all()
    assert (left + w <= width).all()
    share, ratio = h * w / (height * width), w / h
    # A pixel's rounding at the smallest box.
    assert share.min() > 0.2 * 0.98
    assert ratio.min() > 0.75 * 0.98
    assert ratio.max() < 4 / 3 * 1.02
    # Below the area at which a box of extreme ratio no longer fits, nothing is refused: the area
    # is uniform there, and the ratio log-uniform.
    fits = share < 0.74
    counts, _ = np.histogram(share[fits], bins=np.linspace(0.2, 0.74, 10))
    assert abs(counts - counts.mean()).max() < 4.5 * math.sqrt(counts.mean())
    assert abs(np.log(ratio[fits]).mean()) < 4.5 * 0.166 / math.sqrt(fits.sum())


def test_crop_of_a_long_sheet_falls_back_to_its_middle():
    crop = RandomResizedCrop((8, 8), scale=(1.0, 1.0))
    top, left, height, width = crop.box(100, 400, np.random.default_rng(0))
    assert (top, height, width) == (0, 100, 133)
    assert left == (400 - 133) // 2
    assert crop.box(400, 100, np.random.default_rng(0)) == ((400 - 133) // 2, 0, 133, 100)


def test_a_crop_of_everything_is_a_resize():
    crop = RandomResizedCrop((15, 22), scale=(1.0, 1.0), ratio=(WIDTH / HEIGHT, WIDTH / HEIGHT))
    np.testing.assert_array_equal(apply(crop, noise(3)), apply(Resize((15, 22)), noise(3)))


def test_flip_mirrors_half_of_the_pictures():
    image = noise(1)
    np.testing.assert_array_equal(apply(HorizontalFlip(1.0), image), image[:, ::-1])
    flipped = [(apply(HorizontalFlip(), image, seed) != image).any() for seed in range(400)]
    assert 160 <= sum(flipped) <= 240


def test_resize_keeps_mean_and_levels():
    image = np.full((64, 96, 1), 200, np.uint8)
    image[:32] = 40
    small = apply(Resize((16, 24)), image)
    assert (small[:6] == 40).all()
    assert (small[10:] == 200).all()


def test_centre_crop_takes_the_middle_or_says_what_does_not_fit():
    image = noise(1)
    np.testing.assert_array_equal(apply(CentreCrop((10, 20)), image), image[10:20, 12:32])
    with pytest.raises(InputError, match="crop of 31x20 does not fit into a picture of 30x44"):
        apply(CentreCrop((31, 20)), image)


def test_channels_there_and_back():
    grey = noise(1)
    colour = apply(ToChannels(3), grey)
    assert colour.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, -1))
    np.testing.assert_array_equal(apply(ToChannels(1), colour), grey)
    luma = noise(3) @ np.array([0.299, 0.587, 0.114])
    assert abs(apply(ToChannels(1), noise(3))[..., 0] - luma).max() <= 1


def test_erasing_replaces_one_rectangle_by_noise():
    image = np.full((90, 90, 1), 255, np.uint8)
    shares, values = [], []
    for seed in range(300):
        erased = apply(RandomErasing(probability=1.0, mean=0.4, std=0.1), image, seed)[..., 0]
        rows, columns = np.nonzero(erased != 255)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert rows.size == height * width
        assert 0.3 * 0.9 < height / width < 3.3 * 1.1
        shares.append(rows.size / 90**2)
        values.append(erased[rows, columns])
    assert 0.019 < min(shares) < 0.04
    assert 0.31 < max(shares) < 0.334
    values = np.concatenate(values) / 255
    np.testing.assert_allclose([values.mean(), values.std()], [0.4, 0.1], atol=0.001)


def test_erasing_happens_with_its_probability():
    erased = [(apply(RandomErasing(), noise(1), seed) != noise(1)).any() for seed in range(400)]
    assert 65 <= sum(erased) <= 135


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("operation", POLICIES["reference"] + POLICIES["ecg_safe"])
@pytest.mark.parametrize(("strength", "sign"), [(0.0, 1), (1.0, 1), (1.0, -1)])
def test_each_operation_at_the_ends_of_its_range(operation, channels, strength, sign):
    picture = to_pillow(noise(channels))
    result = to_array(operation(picture, strength, sign, 128))
    assert (result.shape, result.dtype) == ((HEIGHT, WIDTH, channels), np.uint8)


def test_half_of_the_operations_are_applied(monkeypatch):
    monkeypatch.setitem(POLICIES, "negative", (lambda picture, *_: ImageOps.invert(picture),))
    augment = RandAugment(num_operations=1, policy="negative")
    results = [apply(augment, noise(1), seed) for seed in range(400)]
    inverted = [np.array_equal(result, 255 - noise(1)) for result in results]
    assert all(i or np.array_equal(r, noise(1)) for i, r in zip(inverted, results, strict=True))
    assert 160 <= sum(inverted) <= 240


def test_strength_follows_the_magnitude(monkeypatch):
    strengths, signs = [], []

    def note(picture, strength, sign, fill):
        strengths.append(strength)
        signs.append(sign)
        return picture

    monkeypatch.setitem(POLICIES, "note", (note,))
    for seed in range(1000):
        apply(RandAugment(magnitude=6.0, magnitude_std=1.0, policy="note"), noise(1), seed)
    assert max(strengths) <= 1
    np.testing.assert_allclose([np.mean(strengths), np.std(strengths)], [0.6, 0.1], atol=0.013)
    assert abs(np.mean(signs)) < 4 / math.sqrt(len(signs))


def test_an_unknown_policy_is_named_with_those_there_are():
    with pytest.raises(InputError, match="no policy 'strong'; it has reference, ecg_safe"):
        RandAugment(policy="strong")


def test_safe_operations_keep_a_trace_where_it_is():
    image = np.full((120, 200, 1), 255, np.uint8)
    image[60] = 0
    augment = RandAugment(magnitude=10.0, policy="ecg_safe", fill=255)
    # Twice the larger of 3 % of the height and 2 degrees at 100 px from the centre; columns that
    # moving by 3 % of the width, twice, uncovers are left out.
    bound = 2 * max(0.03 * 120, 100 * math.sin(math.radians(2))) + 1
    for seed in range(300):
        covered = apply(augment, image, seed)[:, 13:-13, 0].astype(int)
        assert abs(covered.argmin(0) - 60).max() <= bound
        assert (covered.max(0) - covered.min(0)).min() > 30
