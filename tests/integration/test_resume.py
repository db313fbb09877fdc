"""A run that is killed, stopped or moved to other devices is the run that nothing happened to."""

import random
import signal

import numpy as np
import processes
import pytest

TOTAL_STEPS = 24


def interrupt(main, command, workdir, *, step, number, devices=1):
    """Sends a signal once a step is logged; the exit status."""
    run = main.start(command, devices=devices)
    processes.wait_for_lines(workdir / "metrics.jsonl", step, run)
    run.send(number)
    return run.wait()


def test_killed_at_a_random_step_the_losses_are_the_same_to_the_bit(
    main, pretrained, tmp_path, read_losses
):
    command = main.pretrain(tmp_path, "probes=()")
    step = random.Random().randint(5, TOTAL_STEPS - 4)
    assert interrupt(main, command, tmp_path, step=step, number=signal.SIGKILL) == -signal.SIGKILL
    main.succeed(command)
    expected = read_losses(pretrained)
    assert sorted(expected) == list(range(1, TOTAL_STEPS + 1))
    assert read_losses(tmp_path) == expected, f"killed after step {step}"


@pytest.mark.slow
def test_a_state_saved_on_eight_devices_goes_on_on_two_and_on_one(
    main, pretrained, tmp_path, read_losses
):
    command = main.pretrain(tmp_path, "probes=()", "mesh.fsdp=2")
    assert interrupt(main, command, tmp_path, step=6, number=signal.SIGTERM, devices=8) == 0
    stopped = max(read_losses(tmp_path))
    assert 6 <= stopped < TOTAL_STEPS
    assert (tmp_path / "checkpoints" / str(stopped)).is_dir()
    assert interrupt(main, command, tmp_path, step=14, number=signal.SIGTERM, devices=2) == 0
    main.succeed(main.pretrain(tmp_path, "probes=()", "mesh.fsdp=1"))
    losses, expected = read_losses(tmp_path), read_losses(pretrained)
    assert sorted(losses) == sorted(expected)
    np.testing.assert_allclose(
        [losses[step] for step in sorted(losses)],
        [expected[step] for step in sorted(expected)],
        rtol=1e-5,
    )


def test_started_again_when_it_is_done_it_changes_nothing(main, pretrained, read_losses):
    before = (pretrained / "metrics.jsonl").read_bytes()
    main.succeed(main.pretrain(pretrained))
    assert (pretrained / "metrics.jsonl").read_bytes() == before
    assert read_losses(pretrained)
