import os
import signal
import subprocess
import sys

import pytest

from ecgmae_jax import locks
from ecgmae_jax.errors import InUse

HOLD = """
import pathlib, sys, time
from ecgmae_jax import locks
locks.acquire(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / ".lock")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_ends_with_its_process_even_when_that_is_killed(holder, tmp_path):
    message = rf"{tmp_path} is in use by process {holder.pid} on \S+ since \d{{4}}-"
    with pytest.raises(InUse, match=message):
        locks.acquire(tmp_path / ".lock")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    handle = locks.acquire(tmp_path / ".lock")
    assert f"process {os.getpid()} on " in (tmp_path / ".lock").read_text()
    locks.release(tmp_path / ".lock", handle)
    assert not list(tmp_path.iterdir())


def test_a_process_may_take_its_own_lock_again(tmp_path):
    locks.acquire(tmp_path / ".lock")
    locks.acquire(tmp_path / ".lock")


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    path.write_text("process 1 on elsewhere\n")
    flock = locks.fcntl.flock

    def removed_first(handle, operation):
        path.unlink(missing_ok=True)
        monkeypatch.setattr(locks.fcntl, "flock", flock)
        flock(handle, operation)

    monkeypatch.setattr(locks.fcntl, "flock", removed_first)
    handle = locks.acquire(path)
    assert os.fstat(handle).st_ino == path.stat().st_ino


def test_a_file_system_without_locks_is_said_and_used(tmp_path, monkeypatch, capsys):
    def none(handle, operation):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", none)
    locks.acquire(tmp_path / ".lock")
    assert "cannot be locked (Operation not supported): see that one" in capsys.readouterr().err
