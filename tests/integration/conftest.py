"""Programs run as a user runs them, on a tiny build of the simulated recordings, and offline."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import processes
import pytest

from data_builders.simulated_ecg import simulated_ecg_dataset_builder

PATIENTS_PER_CONDITION = 7


@dataclasses.dataclass(frozen=True)
class Watch:
    """Processes with this environment cannot reach the network, and leave a line if they try."""

    environment: dict[str, str]

    def attempts(self) -> str:
        """What was tried since the last call."""
        path = pathlib.Path(self.environment["ATTEMPTS"])
        tried = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return tried


@dataclasses.dataclass(frozen=True)
class Main:
    """`python main.py`, in the repository, with the arguments of a tiny run.

    The programs whose results the tests of the whole way look at are typed (`succeed_typed`): new
    processes that import everything themselves. All others are forked from the zygote.
    """

    repository: pathlib.Path
    data_dir: pathlib.Path
    zygote: processes.Zygote
    watch: Watch
    command = staticmethod(processes.arguments)

    def data(self) -> tuple[str, ...]:
        return ("data.name=simulated_ecg", "data.config=tiny", f"data.data_dir={self.data_dir}")

    def pretrain(self, workdir: pathlib.Path, *more: str) -> list[str]:
        settings = (*self.data(), *processes.TINY_PRETRAINING, *more)
        return self.command("pretrain.py:demo", workdir, *settings)

    def start(self, command: list[str], *, devices: int = 1, **options) -> processes.Run:
        flags = f"--xla_force_host_platform_device_count={devices}"
        return self.zygote.start(command, XLA_FLAGS=flags, **self.watch.environment, **options)

    def run(self, command: list[str], *, devices: int = 1) -> subprocess.CompletedProcess:
        run = self.start(command, devices=devices)
        status = run.wait()
        assert self.watch.attempts() == ""
        return subprocess.CompletedProcess(command, status, run.out, run.err)

    def succeed(self, command: list[str], *, devices: int = 1) -> str:
        done = self.run(command, devices=devices)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def succeed_typed(self, command: list[str]) -> str:
        done = subprocess.run(
            [sys.executable, "main.py", *command],
            cwd=self.repository,
            env=os.environ | self.zygote.environment | self.watch.environment,
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == 0, done.stderr
        assert self.watch.attempts() == ""
        return done.stdout


@pytest.fixture(scope="session")
def watched(tmp_path_factory) -> Watch:
    attempts = tmp_path_factory.mktemp("watch") / "attempts"
    here = pathlib.Path(processes.__file__).with_name("watch")
    return Watch({"PYTHONPATH": str(here), "ATTEMPTS": str(attempts)})


@pytest.fixture(scope="session")
def main(repository, watched, zygote, tmp_path_factory) -> Main:
    data_dir = tmp_path_factory.mktemp("tfds")
    config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny", height=64, width=96, patients_per_condition=PATIENTS_PER_CONDITION, seed=1
    )
    signals = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny_signal", form="signal", patients_per_condition=PATIENTS_PER_CONDITION, seed=1
    )
    for form in (config, signals):
        simulated_ecg_dataset_builder.Builder(data_dir=data_dir, config=form).download_and_prepare()
    return Main(repository, data_dir, zygote, watched)


@pytest.fixture(scope="session")
def pretrained(main, tmp_path_factory) -> pathlib.Path:
    """Workdir of a pre-training that nothing interrupted."""
    workdir = tmp_path_factory.mktemp("oracle") / "pretrain"
    main.succeed_typed(main.pretrain(workdir))
    return workdir


@pytest.fixture(scope="session")
def read_losses():
    """Workdir -> step -> loss; a step logged twice is an error."""

    def read(workdir: pathlib.Path) -> dict[int, float]:
        path = workdir / "metrics.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
        losses = {line["step"]: line["loss"] for line in lines}
        assert len(losses) == len(lines)
        return losses

    return read
