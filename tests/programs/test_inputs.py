from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.data.transforms import HorizontalFlip, RandomShift, Resize
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import inputs
from ecgmae_jax.programs.training_run import make_epoch_schedule
from ecgmae_jax.rendering.named_sheets import make_sheet

PICTURE = {"layout": "3x4+1", "height": 64, "width": 96, "channels": 1, "px_per_mm": 0.3}
STYLES = ("red", "blank")
STATISTICS = {"mean": (0.5,), "std": (0.25,)}


def dataset_of(picture: dict[str, Any]) -> Dataset:
    """A dataset of such pictures, none of which is read here."""
    source = object.__new__(ExampleSource)
    return Dataset("toy", "sheet", "train", "1.0.0", source, {}, picture, "0" * 16)


def specification(**changes):
    return inputs.input_specification(
        PICTURE | changes, name="toy/sheet", augment={}, statistics=STATISTICS
    )


def test_augmentations_come_in_the_order_of_the_recipes():
    made = inputs.make_augmentations(
        {"horizontal_flip": {"probability": 0.25}, "random_shift": {"max_px": 3}}, specification()
    )
    assert made == (RandomShift(3), HorizontalFlip(0.25))
    with pytest.raises(InputError, match=r"names \['shear'\]"):
        inputs.make_augmentations({"shear": {}}, specification())


def test_pictures_reach_the_size_of_the_model_or_are_refused():
    square = specification() | {"image_size": (32, 32)}
    assert inputs.make_augmentations({}, square) == (Resize((32, 32)),)
    assert inputs.make_augmentations({}, specification()) == ()
    with pytest.raises(InputError, match="gives 48x48 px, the model takes 32x32"):
        inputs.make_augmentations({"random_resized_crop": {"size": (48, 48)}}, square)


def test_the_model_sees_the_whole_sheet_or_the_size_of_the_crop():
    assert specification()["image_size"] == (64, 96)
    cropped = inputs.input_specification(
        PICTURE,
        name="toy/sheet",
        augment={"random_resized_crop": {"size": (32, 32)}},
        statistics=STATISTICS,
    )
    assert cropped["image_size"] == (32, 32)


def test_signals_and_wrong_statistics_are_refused():
    with pytest.raises(InputError, match="holds signals"):
        inputs.input_specification(
            {"signal": {}}, name="toy/signal", augment={}, statistics=STATISTICS
        )
    with pytest.raises(InputError, match=r"1 means and 1 deviations, the pictures .* 3 channels"):
        specification(channels=3)


@pytest.mark.parametrize(("key", "value"), [("layout", "6x2"), ("height", 128), ("px_per_mm", 0.6)])
def test_other_pictures_than_the_model_knows_are_refused_naming_both(key, value):
    inputs.check_input(dataset_of(PICTURE), specification())
    with pytest.raises(InputError) as fault:
        inputs.check_input(dataset_of(PICTURE | {key: value}), specification())
    assert f"{key} {value!r}" in str(fault.value)
    assert repr(PICTURE[key]) in str(fault.value)


def test_scans_of_unknown_scale_are_compared_in_what_is_known():
    scans = {"height": 64, "width": 96, "channels": 1, "origin": "scans"}
    inputs.check_input(dataset_of(scans), specification())


@pytest.mark.parametrize(
    ("found", "known", "words"),
    [
        ("blank", "red", r"paper \{.*\} \(the model knows 'plain'\)"),
        ("red", "blank", r"paper 'plain' \(the model knows \{"),
    ],
)
def test_blank_sheets_are_not_those_with_a_grid(found, known, words):
    sheets = {style: make_sheet(height=64, width=96, style=style).as_dict() for style in STYLES}
    for style in STYLES:
        inputs.check_input(dataset_of(sheets[style]), specification(**sheets[style]))
    with pytest.raises(InputError, match=words):
        inputs.check_input(dataset_of(sheets[found]), specification(**sheets[known]))


def test_standardise_is_the_formula():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    found = inputs.standardise(jnp.asarray(images), specification())
    np.testing.assert_allclose(found, (images / 255 - 0.5) / 0.25, rtol=1e-5, atol=1e-6)


def test_epochs_become_steps_and_the_rate_grows_with_the_batch():
    schedule = make_epoch_schedule(
        epochs=300.0, warmup_epochs=40.0, num_examples=1_281_167, batch_size=4096, base_lr=1.5e-4
    )
    assert schedule.peak_lr == pytest.approx(2.4e-3)
    assert schedule.total == round(300 * 1_281_167 / 4096)
    assert schedule.warmup == round(40 * 1_281_167 / 4096)
