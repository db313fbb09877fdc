"""Going on with other devices, workers, settings, clocks and versions."""

import json
import os
import re
import subprocess

import numpy as np
import pytest

from ecgmae_jax.errors import InputError


def close(one, other):
    assert {step: digest for step, (_, digest) in one.items()} == {
        step: digest for step, (_, digest) in other.items()
    }
    np.testing.assert_allclose(
        [float.fromhex(one[step][0]) for step in one],
        [float.fromhex(other[step][0]) for step in one],
        rtol=1e-5,
    )


@pytest.mark.faults
@pytest.mark.parametrize("counts", [(8, 4, 1), (1, 8)])
def test_f11_other_numbers_of_devices(machine, trace, oracle, tmp_path, counts):
    for index, count in enumerate(counts):
        last = index == len(counts) - 1
        fault = () if last else ("signal_at_step", 5 + 7 * index, 15)
        fsdp = min(2, count)
        argv = machine.pretrain(tmp_path, f"mesh.fsdp={fsdp}")
        machine.succeed(argv, devices=count, fault=fault)
    close(trace(tmp_path), trace(oracle))


@pytest.mark.parametrize("counts", [(0, 2), pytest.param((2, 0, 1), marks=pytest.mark.faults)])
def test_f12_other_numbers_of_workers(machine, undisturbed, tmp_path, counts):
    for index, workers in enumerate(counts):
        last = index == len(counts) - 1
        fault = () if last else ("signal_at_step", 6 + 8 * index, 15)
        machine.succeed(machine.pretrain(tmp_path, f"loader.workers={workers}"), fault=fault)
    undisturbed(tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("days", [2, -365])
def test_f17_another_clock(machine, undisturbed, tmp_path, days):
    argv = machine.pretrain(tmp_path)
    machine.succeed(argv, fault=("signal_at_step", 9, 15))
    machine.run(argv, fault=("clock_then_stop", days, 14))
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f17_a_clock_that_jumps_in_the_run(machine, undisturbed, tmp_path):
    machine.succeed(machine.pretrain(tmp_path), fault=("clock_jumps", 7, -365))
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f18_another_setting_is_said_and_recorded(machine, oracle, trace, tmp_path):
    machine.succeed(machine.pretrain(tmp_path), fault=("signal_at_step", 9, 15))
    run = machine.succeed(machine.pretrain(tmp_path, "optimizer.base_lr=0.001", "seed=4"))
    assert re.search(r"^config\.optimizer\.base_lr: \S+ -> 0\.001$", run.err, re.MULTILINE)
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [sorted(line["changed"]) for line in history] == [
        [],
        ["config.optimizer.base_lr", "config.seed"],
    ]
    assert [step for step in range(1, 25) if trace(tmp_path)[step] == trace(oracle)[step]] == list(
        range(1, 11)
    )


@pytest.mark.faults
def test_f18_another_model_is_refused(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    machine.succeed(argv, fault=("signal_at_step", 9, 15))
    run = machine.run([*argv, "--config.model.width=64"])
    assert run.poll() == InputError.exit_code
    assert "is of another model or optimizer: decoder/" in run.err.splitlines()[-1]
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f19_another_version_of_jax(machine, trace, oracle, repository, tmp_path):
    """`ECGMAE_OTHER_PYTHON` names an interpreter with other versions of the requirements."""
    other = os.environ.get("ECGMAE_OTHER_PYTHON")
    if not other:
        pytest.skip("ECGMAE_OTHER_PYTHON names no second interpreter")
    argv = machine.pretrain(tmp_path)
    machine.succeed(argv, fault=("signal_at_step", 11, 15))
    subprocess.run(
        [other, "main.py", *argv],
        check=True,
        cwd=repository,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(repository)},
        timeout=400,
    )
    close(trace(tmp_path), trace(oracle))
    assert json.loads((tmp_path / "history.jsonl").read_text().splitlines()[1])["changed"][
        "versions.packages.jax"
    ]
