import importlib.util

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import artefacts
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS


@pytest.fixture
def config(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository))
    spec = importlib.util.spec_from_file_location("own", repository / "configs" / "artefacts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


def test_the_config_shows_every_artefact_at_three_rising_strengths(config):
    assert set(config.strengths) == set(ARTEFACTS)
    for name, strengths in config.strengths.items():
        assert len(set(strengths)) == 3
        assert all(ARTEFACTS[name].low <= value <= ARTEFACTS[name].high for value in strengths)


def test_the_contact_sheet_shows_what_was_asked_for(config, tmp_path):
    config.picture = {"height": 96, "width": 128, "channels": 3}
    config.strengths = {"exposure": (0.0, 3.0)}
    artefacts.run(config, tmp_path)
    shown = np.asarray(Image.open(tmp_path / "artefacts.png"))
    page, _ = artefacts.example_sheet(height=96, width=128, channels=3)
    reduced = page.reshape(48, 2, 64, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(shown[12:60, 12:76], reduced, atol=1)
    dark = reduced * 2 ** (-3 / 2.2)
    np.testing.assert_allclose(shown[12:60, 88:152], dark, atol=1.5)


def test_heartbeats_obey_the_limb_leads_identities():
    signal = artefacts.heartbeats()
    assert signal.shape == (12, 5000)
    one, two, three, avr, avl, avf = signal[:6]
    np.testing.assert_allclose(one + three, two, atol=1e-6)
    np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-6)
    assert 0.9 < two.max() < 1.3


def test_artefacts_that_do_not_exist_are_refused(config, tmp_path):
    config.strengths.unlock()
    config.strengths.flip = (1.0,)
    with pytest.raises(InputError, match=r"config.strengths names \['flip'\]; there are rotation"):
        artefacts.run(config, tmp_path)
