import functools

import jax
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.interop.hf_vit_mae import encoder_params
from ecgmae_jax.interop.other_pictures import Standardisation, restandardised
from ecgmae_jax.models.functional import bind, model_graph
from ecgmae_jax.models.vit import Encoder, ViTConfig

PHOTOGRAPHS = Standardisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SHEETS = Standardisation((0.87,), (0.10,))
SIZE = {"image_size": (16, 40), "patch_size": (8, 8), "width": 24, "depth": 2, "heads": 3}


def tokens(params, pictures, standardisation, channels):
    config = ViTConfig(**SIZE, channels=channels)
    graph = model_graph(functools.partial(Encoder, config))
    seen = (pictures - np.array(standardisation.mean)) / np.array(standardisation.std)
    return jax.jit(lambda p, x: bind(graph, p)(x))(params, seen.astype(np.float32))


@pytest.fixture(scope="module")
def published(weights):
    return encoder_params(weights, channels=3, config=ViTConfig(**SIZE, channels=3))


def test_a_grey_picture_has_the_tokens_that_it_had_as_a_colour_picture(published):
    grey = np.random.default_rng(0).uniform(size=(2, 16, 40, 1))
    before = tokens(published, np.repeat(grey, 3, axis=-1), PHOTOGRAPHS, 3)
    adapted = restandardised(published, before=PHOTOGRAPHS, after=SHEETS)
    after = tokens(adapted, grey, SHEETS, 1)
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert np.abs(tokens(published, np.repeat(grey, 3, axis=-1), SHEETS, 3) - before).max() > 0.1


def test_a_colour_picture_standardised_otherwise_has_the_same_tokens(published):
    pictures = np.random.default_rng(1).uniform(size=(2, 16, 40, 3))
    paper = Standardisation((0.9, 0.8, 0.7), (0.1, 0.2, 0.3))
    adapted = restandardised(published, before=PHOTOGRAPHS, after=paper)
    np.testing.assert_allclose(
        tokens(adapted, pictures, paper, 3),
        tokens(published, pictures, PHOTOGRAPHS, 3),
        atol=1e-5,
    )


def test_nothing_but_the_patch_projection_changes(published):
    adapted = restandardised(published, before=PHOTOGRAPHS, after=SHEETS)
    for name in published.keys() - {"patch_projection"}:
        assert adapted[name] is published[name]
    same = restandardised(published, before=PHOTOGRAPHS, after=PHOTOGRAPHS)
    for name, array in published["patch_projection"].items():
        np.testing.assert_allclose(same["patch_projection"][name], array, atol=1e-6)


def test_what_cannot_be_is_refused(published):
    with pytest.raises(InputError, match="3 channels cannot take pictures of 2"):
        restandardised(published, before=PHOTOGRAPHS, after=Standardisation((0.5,) * 2, (1.0,) * 2))
    with pytest.raises(InputError, match="3 means and 1 deviations"):
        Standardisation((0.5, 0.5, 0.5), (0.1,))
    with pytest.raises(InputError, match="are of no picture"):
        Standardisation((0.5,), (0.0,))
