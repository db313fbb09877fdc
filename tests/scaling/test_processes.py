"""A job of several processes trains as one process with all the devices does."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

# Seven processes import JAX and compile: minutes where many share the cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SCRIPT = pathlib.Path(__file__).with_name("small_run.py")


def free_port():
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        return listening.getsockname()[1]


def losses_on(processes, devices, *, fsdp):
    """The losses that process 0 prints, of so many processes with so many devices each."""
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    if processes > 1:
        environment |= {
            "JAX_COORDINATOR_ADDRESS": f"localhost:{free_port()}",
            "JAX_NUM_PROCESSES": str(processes),
        }
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(SCRIPT), str(fsdp)],
                    env=environment | {"JAX_PROCESS_ID": str(index)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for index in range(processes)
        ]
        try:
            answers = [process.communicate(timeout=900) for process in started]
        finally:
            for process in started:
                process.kill()
    for process, (_, errors) in zip(started, answers, strict=True):
        assert process.returncode == 0, errors
    # Gloo, which carries the messages between processes, prints lines of its own.
    printed = [line for out, _ in answers for line in out.splitlines() if line.startswith("{")]
    (only,) = map(json.loads, printed)
    assert only["processes_devices"] == [processes, devices]
    return only["losses"]


@pytest.fixture(scope="module")
def alone():
    return losses_on(1, 8, fsdp=1)


@pytest.mark.parametrize(("processes", "devices", "fsdp"), [(2, 4, 1), (4, 2, 1), (2, 4, 8)])
def test_processes_and_pieces_leave_the_losses_as_they_are(alone, processes, devices, fsdp):
    found = losses_on(processes, devices, fsdp=fsdp)
    np.testing.assert_allclose(found, alone, rtol=1e-6)
    assert alone[-1] < alone[0]
