"""SIGKILL: at random steps, inside a save, with worker processes, and of one of them."""

import os
import pathlib
import random
import signal
import time

import pytest

from ecgmae_jax.errors import INPUT_STALLED
from ecgmae_jax.training import checkpoints

KILLED = -signal.SIGKILL


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.faults) for n in (1, 2))])
def test_f1_killed_at_random_steps_nothing_is_lost(
    machine, undisturbed, after_step, tmp_path, seed
):
    rng = random.Random(seed)
    for step in sorted(rng.sample(range(2, 23), 2 if seed == 0 else 4)):
        run = machine.start(machine.pretrain(tmp_path), fault=("slow", 0.02))
        after_step(run, tmp_path, step)
        time.sleep(rng.uniform(0, 0.05))
        run.send(signal.SIGKILL)
        assert run.wait() == KILLED
    machine.succeed(machine.pretrain(tmp_path))
    undisturbed(tmp_path)


@pytest.mark.parametrize(
    "place", ["before", *(pytest.param(p, marks=pytest.mark.faults) for p in ("early", "after"))]
)
def test_f2_killed_inside_a_save(machine, undisturbed, tmp_path, place):
    argv = machine.pretrain(tmp_path)
    assert machine.run(argv, fault=("kill_in_save", 12, place)).poll() == KILLED
    steps = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert ("12" in steps) == (place == "after")
    assert any(name.startswith("12.") for name in steps) == (place != "after")
    resumed = machine.succeed(argv)
    assert f"continuing from step {12 if place == 'after' else 8} of 24" in resumed.err
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f2_killed_while_an_old_step_is_removed(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    assert machine.run(argv, fault=("kill_in_removal",)).poll() == KILLED
    assert (tmp_path / "checkpoints" / "discarded").is_dir()
    assert "damaged" not in machine.succeed(argv).err
    undisturbed(tmp_path)


def test_f14_workers_of_a_killed_run_are_gone(machine, undisturbed, after_step, tmp_path):
    argv = machine.pretrain(tmp_path, "loader.workers=2")
    run = machine.start(argv, fault=("slow", 0.1))
    after_step(run, tmp_path, 5)
    assert len(run.workers()) == 2
    run.send(signal.SIGKILL)
    assert run.wait() == KILLED
    machine.succeed(machine.pretrain(tmp_path))
    undisturbed(tmp_path)


def wait_until_idle(pid):
    """Returns once the process has used no processor time for a while."""

    def used():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        switches = pathlib.Path(f"/proc/{pid}/status").read_text().split("ctxt_switches")
        return fields[0], fields[11:13], switches[1:]

    before = None
    while (now := used()) != before:
        before = now
        time.sleep(0.03)


@pytest.mark.faults
def test_f13_a_killed_worker_ends_the_run(machine, undisturbed, after_step, tmp_path):
    run = machine.start(machine.pretrain(tmp_path, "loader.workers=1"), fault=("slow", 0.1))
    after_step(run, tmp_path, 5)
    (worker,) = run.workers()
    # Python registers a segment of shared memory just after it has made it; a worker that is
    # killed in between leaves it behind (docs/faults.md). Not one that waits for its consumer.
    wait_until_idle(worker)
    os.kill(worker, signal.SIGKILL)
    assert run.wait() == 1
    assert "Worker process was terminated unexpectedly with exit code -9" in run.err
    assert checkpoints.load_params(tmp_path / "checkpoints").step >= 4
    machine.succeed(machine.pretrain(tmp_path))
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f13_a_stopped_worker_is_noticed_by_the_watchdog(
    machine, undisturbed, after_step, tmp_path
):
    run = machine.start(
        machine.pretrain(tmp_path, "loader.workers=1"), fault=("impatient_and_slow", 10, 0.1)
    )
    after_step(run, tmp_path, 5)
    (worker,) = run.workers()
    os.kill(worker, signal.SIGSTOP)
    assert run.wait() == INPUT_STALLED
    assert "error: no batch came for 10 s; the input hangs" in run.err
    assert "most recent call first" in run.err
    machine.succeed(machine.pretrain(tmp_path))
    undisturbed(tmp_path)
