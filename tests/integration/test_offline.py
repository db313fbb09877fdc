"""A build tries to reach no network, and every try would be noticed.

Programs: `Main.run` and `Main.succeed_typed`; what they import: the zygote's end.
"""

import os
import subprocess
import sys

import pytest

BUILD = """
import sys
from data_builders.simulated_ecg import simulated_ecg_dataset_builder as simulated
config = simulated.SimulatedEcgConfig(
    name="tiny", height=64, width=96, patients_per_condition=6, seed=1
)
simulated.Builder(data_dir=sys.argv[1], config=config).download_and_prepare()
"""


@pytest.fixture
def watched_run(repository, watched):
    path = os.pathsep.join((watched.environment["PYTHONPATH"], str(repository)))

    def run(*arguments):
        environment = os.environ | watched.environment | {"PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=400,
        )
        return done, watched.attempts()

    return run


def test_a_build_tries_to_reach_no_network(watched_run, tmp_path):
    done, attempts = watched_run(BUILD, str(tmp_path))
    assert (attempts, done.returncode) == ("", 0), done.stderr[-2000:]
    assert list(tmp_path.glob("simulated_ecg/tiny/*/dataset_info.json"))


@pytest.mark.parametrize(
    "attempt",
    [
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1')",
        "import socket; socket.create_connection(('192.0.2.1', 80))",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'import socket; socket.socket().connect((\"192.0.2.1\", 80))'], check=True)",
    ],
    ids=["http", "tcp", "names", "a process started from it"],
)
def test_the_watch_would_have_seen_it(watched_run, attempt):
    done, attempts = watched_run(attempt)
    assert done.returncode
    assert attempts


def test_the_watch_sees_what_a_forked_program_tries(main, tmp_path):
    run = main.start(main.command("artefacts.py", tmp_path), fault=("reach_out",))
    assert run.wait() == 1
    assert "socket.getaddrinfo" in main.watch.attempts()
