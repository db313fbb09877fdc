import functools
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from ecgmae_jax.errors import INPUT_STALLED, InputError, NonFiniteLoss
from ecgmae_jax.training import checkpoints, feeding, loop, mesh

# Some of the runs are processes of their own.
pytestmark = pytest.mark.usefixtures("optimised")


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


def poisoned(toy, steps):
    def batches(start_step):
        for step, batch in enumerate(toy.batches(start_step), start=start_step + 1):
            yield batch | {"x": batch["x"] + (np.float32("nan") if step in steps else 0)}

    return batches


def test_a_step_that_is_no_number_is_skipped_and_counted(toy, half, tmp_path, capsys):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)
    last = toy.train(
        tmp_path, device_mesh=grid(2, 4), make_batches=poisoned(toy, {11, 12, 20}), every=(1, 8, 8)
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(last.params)))
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["loss"] is None] == [11, 12, 20]
    assert [row["skipped"] for row in rows[8:]] == [0, 0, 1] + [2] * 8 + [3] * 5
    said = capsys.readouterr().err
    assert said.count("skipped: its loss or gradient is no number") == 2
    assert "step 11 skipped" in said and "step 20 skipped" in said


def test_ten_such_steps_in_a_row_stop_the_run_and_spare_the_checkpoints(toy, half, tmp_path):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)
    before = checkpoints.load_params(half / "checkpoints")
    train = functools.partial(toy.train, tmp_path, device_mesh=grid(2, 4), every=(16, 8, 8))
    with pytest.raises(NonFiniteLoss, match="in 10 steps in a row, up to step 18, and they were"):
        train(make_batches=poisoned(toy, range(9, 25)))
    saved = checkpoints.load_params(tmp_path / "checkpoints")
    assert (saved.step, saved.fingerprint) == (16, before.fingerprint)


def test_an_evaluation_is_left_when_the_run_is_asked_to_stop(toy, half, tmp_path, losses, whole):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)

    def endless(params):
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            time.sleep(0.01)

    last = toy.train(tmp_path, device_mesh=grid(2, 4), evaluators=(toy.bias_size, endless))
    assert int(last.step) == 16
    assert checkpoints.load_params(tmp_path / "checkpoints").step == 16
    assert "validation_loss" in (tmp_path / "metrics.jsonl").read_text().splitlines()[15]
    toy.train(tmp_path, device_mesh=grid(2, 4))
    assert losses(tmp_path) == losses(whole)


def test_the_digest_of_a_batch_tells_its_records_and_their_order():
    digest = feeding.batch_digest
    one = digest({"record_index": np.asarray([3, 1, 2])})
    assert one == digest({"record_index": np.asarray([3, 1, 2], np.int32), "x": np.ones(3)})
    assert one != digest({"record_index": np.asarray([1, 3, 2])})
    assert len(one) == 8


STALLED = """
import time
from ecgmae_jax.training.feeding import watched
def batches():
    yield 1
    time.sleep(60)
for batch in watched(batches(), stall_s=0.5):
    print(batch, flush=True)
"""


def test_an_input_that_stalls_ends_the_process_with_the_stacks():
    done = subprocess.run([sys.executable, "-c", STALLED], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (INPUT_STALLED, "1\n")
    assert "error: no batch came for 0.5 s; the input hangs" in done.stderr
    assert "in batches" in done.stderr


def test_a_run_ends_after_the_evaluation_that_is_enough(toy, half, whole, tmp_path, losses):
    shutil.copytree(half, tmp_path, dirs_exist_ok=True)
    asked = []

    def enough(step, values):
        asked.append((step, values["validation_loss"]))
        return step == 16

    last = toy.train(tmp_path, device_mesh=grid(2, 4), enough=enough)
    assert int(last.step) == 16 == checkpoints.load_params(tmp_path / "checkpoints").step
    assert [step for step, _ in asked] == [16]
    assert losses(tmp_path).items() <= losses(whole).items()


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
