"""A build and two programs, in processes in which every way to the network is shut and watched."""

import os
import subprocess
import sys

import pytest

# Python runs it at the start of every process, workers included.
WATCH = """
import os, socket, sys

NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"}
PLACES = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}

def refuse(event, arguments):
    remote = event in PLACES and arguments[0].family in (socket.AF_INET, socket.AF_INET6)
    if event in NAMES or remote:
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {arguments[1:]} in {sys.argv}\\n")
        raise PermissionError("no network in this test")

sys.addaudithook(refuse)
"""
BUILD = """
import sys
from data_builders.simulated_ecg import simulated_ecg_dataset_builder as simulated
config = simulated.SimulatedEcgConfig(
    name="tiny", height=64, width=96, patients_per_condition=6, seed=1
)
simulated.Builder(data_dir=sys.argv[1], config=config).download_and_prepare()
"""


@pytest.fixture(scope="module")
def watched_run(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("watch")
    (folder / "sitecustomize.py").write_text(WATCH)
    attempts = folder / "attempts"
    environment = {
        "PYTHONPATH": os.pathsep.join((str(folder), str(repository))),
        "ATTEMPTS": str(attempts),
        "JAX_PLATFORMS": "cpu",
    }

    def run(*arguments):
        attempts.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=repository,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=400,
        )
        return done, attempts.read_text() if attempts.exists() else ""

    return run


def test_no_program_tries_to_reach_the_network(watched_run, tmp_path):
    data = ["--config.data.name=simulated_ecg", "--config.data.config=tiny"]
    data += [f"--config.data.data_dir={tmp_path / 'data'}"]
    tiny = [f"--config.model.{size}" for size in ("width=16", "depth=1", "heads=1")]
    tiny += ["--config.model.decoder_width=16", "--config.epochs=0.5", "--config.warmup_epochs=0.0"]
    tiny += ["--config.loader.batch_size=8", "--config.loader.workers=1", "--config.probes=()"]
    pretrained = tmp_path / "pretrained"
    commands = [
        ["-c", BUILD, str(tmp_path / "data")],
        ["main.py", "--config=configs/pretrain.py:demo", f"--workdir={pretrained}", *data, *tiny],
        [
            "main.py",
            "--config=configs/embed.py:demo",
            f"--workdir={tmp_path / 'embedded'}",
            f"--config.checkpoint={pretrained}",
            "--config.pca.components=4",
            *data,
        ],
    ]
    for command in commands:
        done, attempts = watched_run(*command)
        assert (attempts, done.returncode) == ("", 0), done.stderr[-2000:]
    assert (tmp_path / "embedded" / "embeddings.parquet").is_file()


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
def test_the_watch_would_have_seen_it(watched_run, attempt, tmp_path):
    done, attempts = watched_run("-c", attempt)
    assert done.returncode
    assert attempts
