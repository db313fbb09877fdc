"""SIGTERM, SIGINT, SIGHUP: in training, evaluation, compilation, and while a step is saved."""

import os
import re
import signal

import pytest

from ecgmae_jax.training import checkpoints

NUMBERS = [
    signal.SIGTERM,
    *(pytest.param(n, marks=pytest.mark.faults) for n in (signal.SIGINT, signal.SIGHUP)),
]


def stopped_at(run, workdir):
    """The step that the run says it saved, once, and did save."""
    (step,) = re.findall(r"asked to stop: saving step (\d+) of 24; start again", run.err)
    assert checkpoints.load_params(workdir / "checkpoints").step == int(step)
    return int(step)


@pytest.mark.parametrize("number", NUMBERS)
def test_f3_f4_a_signal_between_steps(machine, undisturbed, tmp_path, number):
    argv = machine.pretrain(tmp_path)
    run = machine.succeed(argv, fault=("signal_at_step", 6, number))
    assert stopped_at(run, tmp_path) == 7
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_f3_a_signal_in_an_evaluation(machine, undisturbed, tmp_path, number):
    argv = machine.pretrain(tmp_path)
    run = machine.succeed(argv, fault=("signal_in_evaluation", number))
    assert stopped_at(run, tmp_path) == 12
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f3_a_signal_in_the_probe_of_an_evaluation(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path, "probes=('condition',)")
    run = machine.succeed(argv, fault=("signal_in_probe", signal.SIGTERM))
    assert stopped_at(run, tmp_path) == 12
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_f3_a_signal_in_the_compilation(machine, undisturbed, tmp_path, number):
    argv = machine.pretrain(tmp_path)
    run = machine.succeed(argv, fault=("signal_in_compilation", number))
    assert stopped_at(run, tmp_path) == 1
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f3_a_signal_during_a_save(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    run = machine.succeed(argv, fault=("signal_in_save", 8, signal.SIGTERM))
    assert 9 <= stopped_at(run, tmp_path) <= 12
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f4_two_sigterms_save_once(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    run = machine.succeed(argv, fault=("signal_at_step", 6, signal.SIGTERM, 2))
    assert stopped_at(run, tmp_path) == 7
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f4_a_second_interrupt_ends_the_run_at_once(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    run = machine.run(argv, fault=("signal_at_step", 6, signal.SIGINT, 2))
    assert run.poll() == -signal.SIGINT
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f4_the_terminal_is_lost(machine, undisturbed, after_step, tmp_path):
    ours, theirs = os.openpty()
    argv = machine.pretrain(tmp_path)
    run = machine.start(argv, fault=("slow", 0.1), terminal=os.ttyname(theirs))
    after_step(run, tmp_path, 5)
    os.close(theirs)
    # The kernel sends SIGHUP to the session, and every write to the terminal fails from now on.
    os.close(ours)
    assert run.wait() == 0
    assert 5 <= checkpoints.load_params(tmp_path / "checkpoints").step < 24
    machine.succeed(argv)
    undisturbed(tmp_path)
