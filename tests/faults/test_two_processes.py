"""Two processes that train together, of which one is killed."""

import signal
import socket
import time

import pytest

pytestmark = pytest.mark.faults


def start_both(machine, workdir, *, fault=()):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return [
        machine.start(
            machine.pretrain(workdir),
            fault=fault,
            JAX_COORDINATOR_ADDRESS=address,
            JAX_NUM_PROCESSES="2",
            JAX_PROCESS_ID=str(index),
        )
        for index in range(2)
    ]


@pytest.fixture(scope="module")
def together(machine, tmp_path_factory):
    """Workdir of two processes that nothing disturbed."""
    workdir = tmp_path_factory.mktemp("together") / "run"
    for run in start_both(machine, workdir):
        assert run.wait() == 0, run.err
    return workdir


@pytest.mark.parametrize("victim", [0, 1])
def test_f23_the_other_ends_and_both_go_on(machine, trace, together, after_step, tmp_path, victim):
    runs = start_both(machine, tmp_path, fault=("slow", 0.2))
    after_step(runs[0], tmp_path, 7)
    runs[victim].send(signal.SIGKILL)
    began = time.monotonic()
    assert runs[1 - victim].wait() != 0
    assert time.monotonic() - began < 120
    for run in start_both(machine, tmp_path):
        assert run.wait() == 0, run.err
    assert trace(tmp_path) == trace(together)


def test_f23_sigterm_to_one_stops_both_at_one_step(machine, trace, together, after_step, tmp_path):
    runs = start_both(machine, tmp_path, fault=("slow", 0.1))
    after_step(runs[0], tmp_path, 5)
    runs[1].send(signal.SIGTERM)
    assert [run.wait() for run in runs] == [0, 0]
    assert runs[0].err.count("asked to stop: saving step") == 1
    for run in start_both(machine, tmp_path):
        assert run.wait() == 0, run.err
    assert trace(tmp_path) == trace(together)
