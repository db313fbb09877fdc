import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.data.transforms import RandomShift
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import inputs
from ecgmae_jax.programs.training_views import train_batches, training_views
from ecgmae_jax.rendering.named_sheets import make_sheet

SHEET = make_sheet(height=64, width=96)
STORAGE = {"leads": ["I", "II"], "rate_hz": 500.0, "uv_per_lsb": 1.0, "missing": -32768}
PICTURE = SHEET.as_dict()
SPECIFICATION = inputs.input_specification(
    PICTURE, name="toy", augment={}, statistics={"mean": (0.9,), "std": (0.1,)}
)


def dataset_of(picture) -> Dataset:
    source = object.__new__(ExampleSource)
    return Dataset("toy", "signal", "train", "1.0.0", source, {}, picture, "0" * 16)


def views_of(picture=PICTURE, **changes):
    settings = {"augment": {}, "draw": "stored", "random_sheets": 0, "scan": "off", "seed": 0}
    return training_views(dataset_of(picture), SPECIFICATION, **(settings | changes))


@pytest.fixture(scope="module")
def batch():
    signal = np.random.default_rng(0).integers(-800, 800, (3, 12, 5000)).astype(np.int16)
    return {"signal": signal, "key": np.arange(3, dtype=np.uint32)}


def test_stored_pictures_are_augmented_and_standardised():
    views = views_of(augment={"random_shift": {"max_px": 3}})
    assert (views.keys, views.transforms) == (("image",), (RandomShift(3),))
    image = np.full((2, 64, 96, 1), 204, np.uint8)
    np.testing.assert_allclose(views.view({"image": jnp.asarray(image)}).seen, -1, atol=1e-5)


def test_signals_are_drawn_on_the_sheet_of_the_model_and_on_random_ones(batch):
    views = views_of({"signal": STORAGE}, draw="device", random_sheets=2)
    assert (views.keys, views.transforms) == (("signal", "key"), ())
    images = inputs.make_sheet_drawer(STORAGE, SPECIFICATION)(batch["signal"])
    own = np.asarray(inputs.standardise(images, SPECIFICATION))
    view = jax.jit(views.view)
    drawn = [view(batch | {"key": batch["key"] + 3 * i}).seen for i in range(4)]
    # One grey level is 0.04 deviations: a pixel may round the other way.
    differs = [np.abs(seen - own).max(axis=(1, 2, 3)) > 0.05 for seen in drawn]
    assert 3 <= np.sum(differs) <= 11


def test_a_drawer_is_made_once():
    first, second = (inputs.make_sheet_drawer(dict(STORAGE), dict(SPECIFICATION)) for _ in "ab")
    assert first is second


def test_settings_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match=r"random_sheets is 5 and config.scan 'off', which stored"):
        views_of(random_sheets=5)
    with pytest.raises(InputError, match=r"config.data.draw is 'cpu'; choose 'stored' or 'device'"):
        views_of(draw="cpu")
    with pytest.raises(InputError, match=r"mixing.probability is 1, and pictures that the train"):
        train_batches(
            dataset_of({"signal": STORAGE}),
            views_of({"signal": STORAGE}, draw="device"),
            label="outcome",
            smoothing=0.0,
            mixing={"probability": 1.0},
            batch_size=2,
            workers=0,
            seed=0,
            start_step=0,
        )
