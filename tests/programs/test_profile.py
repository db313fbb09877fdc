"""The profile as a user runs it, on a tiny build of the simulated recordings."""

import json
import subprocess
import sys

import pytest

from data_builders.simulated_ecg import simulated_ecg_dataset_builder
from ecgmae_jax.models.peak import Peak
from ecgmae_jax.programs import profile


def test_utilisation_is_the_models_own_operations_over_what_all_devices_can(monkeypatch):
    monkeypatch.setattr(profile.jax, "device_count", lambda: 4)
    found = profile.utilisation(Peak(100e9, "data sheet"), flops=60e9, seconds=2.0)
    assert found["model_flops_per_second"] == 30e9
    assert found["peak_flops_per_second"] == 400e9
    assert found["model_flop_utilisation"] == pytest.approx(0.075)
    assert found["peak_source"] == "data sheet"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny_signal", form="signal", patients_per_condition=6, seed=1
    )
    simulated_ecg_dataset_builder.Builder(data_dir=folder, config=config).download_and_prepare()
    return folder


@pytest.mark.slow
def test_it_tells_where_the_time_goes_and_leaves_a_trace(repository, data_dir, tmp_path):
    settings = {
        "data.name": "simulated_ecg",
        "data.config": "tiny_signal",
        "data.data_dir": data_dir,
        "sheet.height": 64,
        "sheet.width": 96,
        "loader.batch_size": 8,
        "model.width": 48,
        "model.depth": 2,
        "model.decoder_width": 32,
        "compute.unroll": False,
        "steps": 3,
    }
    command = [sys.executable, "main.py", "--config=configs/profile.py", f"--workdir={tmp_path}"]
    command += [f"--config.{name}={value}" for name, value in settings.items()]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

    record = json.loads((tmp_path / "profile.json").read_text())
    parts = record["seconds"]
    assert {"input", "draw", "encoder", "decoder", "loss", "optimizer"} <= set(parts)
    assert sum(parts.values()) == pytest.approx(record["step_seconds"])
    assert all(seconds > 0 for seconds in parts.values())
    assert record["examples_per_second"] == pytest.approx(8 / record["step_seconds"])
    assert 0 < record["model_flop_utilisation"] < 1
    assert record["peak_source"].startswith("measured, a float32 product")
    assert "optimizer" in done.stdout and "model-FLOP utilisation" in done.stdout
    assert list((tmp_path / "trace").rglob("*.xplane.pb"))
