import os
import signal
import subprocess
import sys
import time

import pytest

from ecgmae_jax.training import preemption


@pytest.fixture
def terminal():
    """Hangups as in a terminal: the tests themselves may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_noted_and_nothing_else_happens(number):
    with preemption.StopRequest() as stop:
        assert not stop.requested(1)
        os.kill(os.getpid(), number)
        assert stop.requested(2)
        assert stop.requested(3)


def test_a_repeated_sigterm_is_noted_once():
    with preemption.StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested(1)


def test_a_second_interrupt_ends_the_process_at_once():
    program = """
import os, signal
from ecgmae_jax.training import preemption
with preemption.StopRequest():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=120)
    assert ended.returncode == -signal.SIGINT


def test_a_hangup_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with preemption.StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.requested(1)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_interruptible_work_is_left_at_once_and_only_there():
    with preemption.StopRequest() as stop:
        with pytest.raises(preemption.StopRequested), stop.interrupting():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        assert stop.requested(1)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(preemption.StopRequested), stop.interrupting():
            pytest.fail("begun although the run is asked to stop")


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with preemption.StopRequest():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
