import pickle

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probe_files import load_probe, probe_bytes
from ecgmae_jax.evaluation.readouts.probes import Probe, predict


@pytest.fixture
def probe():
    rng = np.random.default_rng(9)
    return Probe(
        classes=("AF", "Ødem, pulmonary"),
        exclusive=False,
        mean=rng.normal(size=5),
        scale=rng.random(5) + 0.5,
        coefficients=rng.normal(size=(2, 5)),
        intercept=rng.normal(size=2),
        chosen_c=np.array([0.1, 1.0]),
        metadata={"task": "findings", "checkpoint": "abc", "aggregation": "mean"},
    )


def test_a_probe_predicts_alike_after_a_file(tmp_path, probe):
    (tmp_path / "probe.npz").write_bytes(probe_bytes(probe))
    found = load_probe(tmp_path / "probe.npz")
    features = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    np.testing.assert_array_equal(predict(found, features), predict(probe, features))
    assert found.classes == probe.classes
    assert found.metadata == probe.metadata
    np.testing.assert_array_equal(found.chosen_c, probe.chosen_c)


def test_other_files_and_pickles_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npz: no such file"):
        load_probe(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps({"mean": 1}))
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    for name in ("text", "pickle", "other"):
        with pytest.raises(InputError, match=rf"{name}\.npz: not a probe file"):
            load_probe(tmp_path / f"{name}.npz")
