"""Builds that are killed, run twice at once, meet a bad record or a full disk."""

import os
import signal
import subprocess
import sys
import time

import processes
import pytest

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError

pytestmark = pytest.mark.faults

BUILD = """
import sys
from data_builders.simulated_ecg import simulated_ecg_dataset_builder as builders
{fault}
if __name__ == "__main__":
    config = builders.SimulatedEcgConfig(
        name="tiny", height=64, width=96, patients_per_condition=7, seed=1
    )
    builders.Builder(data_dir=sys.argv[1], config=config).download_and_prepare()
"""
# In the process that writes; the workers make the examples.
SLOW = """
import time
from data_builders import parallel
in_order = parallel.in_order
def slowly(*args, **options):
    for result in in_order(*args, **options):
        time.sleep(0.3)
        yield result
parallel.in_order = slowly
"""
BAD_RECORD = """
from data_builders import parallel
in_order = parallel.in_order
def failing(*args, **options):
    yield next(in_order(*args, **options))
    raise RuntimeError("a record that nobody foresaw")
parallel.in_order = failing
"""
FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))
"""


@pytest.fixture
def build(repository, tmp_path):
    """A function that starts a build in a process of its own."""
    processes = []

    def start(fault=""):
        script = tmp_path / f"build{len(processes)}.py"
        script.write_text(BUILD.format(fault=fault))
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONPATH": str(repository)},
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def config_dir(tmp_path):
    return tmp_path / "data/simulated_ecg/tiny"


def wait_for_shards(tmp_path):
    deadline = time.monotonic() + 400
    while not list(config_dir(tmp_path).glob("incomplete.*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def opened(tmp_path):
    data_dir = tmp_path / "data"
    return open_dataset(name="simulated_ecg", config="tiny", data_dir=data_dir, split="train")


def test_f20_a_killed_build_is_no_dataset_and_the_next_one_clears_it_away(build, machine, tmp_path):
    first = build(SLOW)
    wait_for_shards(tmp_path)
    time.sleep(1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    with pytest.raises(InputError, match="no finished dataset and an unfinished build of sim"):
        opened(tmp_path)
    processes.wait_for_end_of_session(first.pid)
    again = build()
    out = again.communicate(timeout=500)[0]
    assert again.returncode == 0, out
    assert "which a killed build left" in out
    assert [path.name for path in config_dir(tmp_path).iterdir()] == ["1.0.0"]
    undisturbed = open_dataset(
        name="simulated_ecg", config="tiny", data_dir=machine.data_dir, split="train"
    )
    assert opened(tmp_path).fingerprint == undisturbed.fingerprint


def test_f20_the_second_of_two_builds_ends_at_its_start(build, tmp_path):
    first = build(SLOW)
    wait_for_shards(tmp_path)
    second = build()
    out = second.communicate(timeout=500)[0]
    assert first.poll() is None
    assert second.returncode != 0
    assert f"simulated_ecg/tiny is in use by process {first.pid} on " in out
    assert first.communicate(timeout=500) and first.returncode == 0
    assert len(opened(tmp_path)) > 0


@pytest.mark.parametrize(
    ("fault", "reason"), [(BAD_RECORD, "a record that nobody foresaw"), (FULL, "too large")]
)
def test_f20_a_build_that_fails_leaves_nothing(build, tmp_path, fault, reason):
    failed = build(fault)
    out = failed.communicate(timeout=500)[0]
    assert failed.returncode != 0 and reason in out
    assert not config_dir(tmp_path).exists() or not list(config_dir(tmp_path).iterdir())
