import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs.embed import numbers_of
from ecgmae_jax.programs.encoders import make_features, make_poolings, random_encoder

CONFIG = ViTConfig(image_size=(16, 32), patch_size=(8, 8), channels=1, width=8, depth=1, heads=2)
SPECIFICATION = {"mean": (0.5,), "std": (0.25,)}


@pytest.fixture
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 32, 1))
    return jnp.asarray(pixels, jnp.uint8)


def test_all_poolings_come_from_the_same_tokens(images):
    params = random_encoder(CONFIG, seed=0)
    poolings = ("mean", "both", "mean+std", "regional-2x4", "regional-1x2")
    found = make_poolings(CONFIG, SPECIFICATION, compute=Compute(), poolings=poolings)(
        params, images
    )
    tokens = np.asarray(found["regional-2x4"]).reshape(3, 2, 4, 8)
    np.testing.assert_allclose(found["mean"], tokens.mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(found["both"][:, 8:], found["mean"], atol=1e-6)
    np.testing.assert_allclose(found["mean+std"][:, 8:], tokens.std(axis=(1, 2)), atol=1e-5)
    halves = tokens.reshape(3, 2, 2, 2, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(found["regional-1x2"], halves.reshape(3, 16), atol=1e-5)
    alone = make_features(CONFIG, SPECIFICATION, compute=Compute(), pooling="regional-1x2")
    np.testing.assert_allclose(alone(params, images), found["regional-1x2"], atol=1e-5)


def test_an_unknown_pooling_is_refused_with_all_there_are(images):
    features = make_features(CONFIG, SPECIFICATION, compute=Compute(), pooling="max")
    with pytest.raises(InputError, match=r"'max'; choose mean, cls, both, mean\+std or regional"):
        jax.eval_shape(features, random_encoder(CONFIG, seed=0), images)


class _Source(ExampleSource):
    """Examples at hand, of which `only` wants those that are there."""

    def __init__(self, examples):
        self._examples = examples

    def __len__(self):
        return len(self._examples)

    def __getitem__(self, index):
        return self._examples[index]

    def only(self, *names):
        if not set(names) <= set(self._examples[0]):
            raise InputError(f"the dataset has no feature {names}")
        return self


def _split(*examples):
    facts = {"name": "made_up", "config": "c", "split": "train", "version": "1", "picture": {}}
    return Dataset(**facts, source=_Source(examples), label_sets={}, fingerprint="0" * 16)


def test_numeric_outcomes_become_columns_and_most_datasets_have_none():
    def example(lvef, time, event):
        return {"targets": {"lvef": {"value": lvef}, "death": {"time": time, "event": event}}}

    first = _split(example(55.0, 1.5, 1.0), example(np.nan, 3.0, 0.0))
    found = numbers_of([first, _split(example(30.0, np.nan, np.nan))])
    assert set(found) == {"lvef", "death.time", "death.event"}
    np.testing.assert_array_equal(found["lvef"], [55, np.nan, 30])
    np.testing.assert_array_equal(found["death.time"], [1.5, 3, np.nan])
    np.testing.assert_array_equal(found["death.event"], [1, 0, np.nan])
    assert numbers_of([_split({"labels": {}})]) == {}
