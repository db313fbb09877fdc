import functools
import itertools
import re
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import checkpoints, logs, loop, mesh


def grid(data, fsdp):
    return mesh.make_mesh(data=data, fsdp=fsdp, devices=jax.devices()[: data * fsdp])


@pytest.fixture(scope="module")
def whole(toy, tmp_path_factory):
    """Workdir of a run that nothing disturbed."""
    workdir = tmp_path_factory.mktemp("whole")
    toy.train(workdir, device_mesh=grid(2, 4))
    return workdir


@pytest.fixture(scope="module")
def half(toy, tmp_path_factory):
    """Workdir of the same run, ended at step 8."""
    workdir = tmp_path_factory.mktemp("half")
    toy.train(workdir, device_mesh=grid(2, 4), until=8)
    return workdir


def test_every_step_is_logged_and_the_loss_falls(toy, whole, losses):
    rows = losses(whole)
    assert list(rows) == list(range(1, toy.TOTAL_STEPS + 1))
    values = [float.fromhex(value) for value in rows.values()]
    assert np.mean(values[-5:]) < 0.3 * np.mean(values[:5])


def test_evaluations_are_logged_and_choose_the_best(toy, whole):
    lines = (whole / "metrics.jsonl").read_text().splitlines()
    evaluated = [line for line in lines if "validation_loss" in line]
    assert [re.match(r'\{"step": (\d+)', line)[1] for line in evaluated] == ["8", "16", "24"]
    assert checkpoints.load_params(whole / "checkpoints", which="best").step == 8


@pytest.mark.parametrize(
    ("data", "fsdp"), [(2, 4), (4, 2), (8, 1), (1, 2), (1, 1)], ids=lambda n: str(n)
)
def test_a_run_goes_on_on_any_mesh(toy, whole, half, losses, tmp_path, data, fsdp):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)
    last = toy.train(tmp_path, device_mesh=grid(data, fsdp))
    assert int(last.step) == toy.TOTAL_STEPS
    ours, undisturbed = losses(tmp_path), losses(whole)
    if (data, fsdp) == (2, 4):
        assert ours == undisturbed
    assert ours.keys() == undisturbed.keys()
    for step in ours:
        np.testing.assert_allclose(
            float.fromhex(ours[step]), float.fromhex(undisturbed[step]), rtol=1e-5
        )


@pytest.fixture
def start(toy, tmp_path):
    """A function that starts the run in its own process and returns it after five steps."""
    processes = []

    def start_run():
        command = [sys.executable, toy.__file__, str(tmp_path)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        log = tmp_path / "metrics.jsonl"
        while not log.exists() or len(log.read_text().splitlines()) < 10:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        return process

    yield start_run
    for process in processes:
        process.kill()
        process.communicate()


def test_sigterm_saves_the_current_step_and_nothing_is_lost(toy, start, whole, losses, tmp_path):
    process = start()
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    stopped_at = int(re.search(r"asked to stop: saving step (\d+) of 24", errors)[1])
    assert checkpoints.load_params(tmp_path / "checkpoints").step == stopped_at < toy.TOTAL_STEPS
    assert list(losses(tmp_path)) == list(range(1, stopped_at + 1))
    toy.train(tmp_path, device_mesh=grid(2, 4))
    assert losses(tmp_path) == losses(whole)


def test_after_sigkill_the_run_repeats_itself_to_the_bit(toy, start, whole, losses, tmp_path):
    process = start()
    process.kill()
    process.communicate(timeout=60)
    assert len(losses(tmp_path)) < toy.TOTAL_STEPS
    toy.train(tmp_path, device_mesh=grid(2, 4))
    assert losses(tmp_path) == losses(whole)


def test_a_run_that_is_complete_does_nothing(toy, whole, losses, tmp_path, same_trees):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    last = toy.train(tmp_path, device_mesh=grid(2, 4))
    assert losses(tmp_path) == losses(whole)
    saved = checkpoints.load_params(tmp_path / "checkpoints")
    same_trees(jax.device_get(last.params), saved.params)


def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_checkpoints(toy, half, tmp_path):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)

    def poisoned(start_step):
        for step, batch in enumerate(toy.batches(start_step), start=start_step + 1):
            yield batch | {"x": batch["x"] + (np.float32("nan") if step == 11 else 0)}

    train = functools.partial(toy.train, tmp_path, device_mesh=grid(2, 4), make_batches=poisoned)
    with pytest.raises(logs.NonFiniteLoss, match="loss became nan between steps 9 and 16;"):
        train(every=(16, 8, 8))
    saved = checkpoints.load_params(tmp_path / "checkpoints")
    assert saved.step == 8
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(saved.params))


def test_data_that_end_too_early_are_a_fault_of_the_input(toy, half, tmp_path):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)

    def few(start_step):
        return itertools.islice(toy.batches(start_step), 3)

    with pytest.raises(InputError, match="the data end before step 12 of 24"):
        toy.train(tmp_path, device_mesh=grid(2, 4), make_batches=few)


def test_batches_come_in_order_and_one_ahead(toy):
    taken = []

    def batches():
        for i in range(4):
            taken.append(i)
            yield {"x": np.full(8, i)}

    feed = loop.placed(batches(), grid(2, 4))
    assert int(next(feed)["x"][0]) == 0 and taken == [0, 1]
    assert [int(batch["x"][0]) for batch in feed] == [1, 2, 3]


def test_a_cadence_of_zero_is_refused():
    with pytest.raises(InputError, match=re.escape("every.evaluate is 0")):
        loop.Every(log=1, evaluate=0, checkpoint=1)
