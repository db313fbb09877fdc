"""A tiny pre-training as processes that can be watched, signalled and killed."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

DEADLINE_S = 500


@dataclasses.dataclass
class Run:
    """One process forked from the zygote; its exit status comes from its own parent."""

    folder: pathlib.Path

    @property
    def pid(self):
        return int(wait_for(lambda: text(self.folder / "exit.pid")))

    @property
    def err(self):
        return text(self.folder / "err")

    @property
    def out(self):
        return text(self.folder / "out")

    def poll(self):
        status = text(self.folder / "exit")
        return int(status) if status else None

    def send(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """The exit status; the process's whole session must be gone soon after."""
        status = wait_for(lambda: text(self.folder / "exit"), what=lambda: self.err)
        wait_for(lambda: not self.session(), seconds=20, what=lambda: f"left: {self.session()}")
        return int(status)

    def session(self):
        """Living processes of the run's session, by the sixth field of /proc/<pid>/stat."""
        members = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z" and int(fields[3]) == self.pid:
                members.append(int(stat.parent.name))
        return members

    def workers(self):
        """Grain's worker processes, once there are any."""

        def found():
            pids = []
            for pid in self.session():
                try:
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if "spawn_main" in command:
                    pids.append(pid)
            return pids

        return wait_for(found)


def text(path):
    return path.read_text() if path.exists() else ""


def wait_for(condition, *, seconds=DEADLINE_S, what=lambda: ""):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s: {what()}")
        time.sleep(0.01)
    return value


@dataclasses.dataclass
class Machine:
    """Starts runs: `main.py` with the arguments of a tiny pre-training."""

    zygote: subprocess.Popen
    folder: pathlib.Path
    data_dir: pathlib.Path
    started: list = dataclasses.field(default_factory=list)

    def data(self, data_dir=None):
        folder = data_dir or self.data_dir
        return ("data.name=simulated_ecg", "data.config=tiny", f"data.data_dir={folder}")

    def pretrain(self, workdir, *settings, data_dir=None):
        """24 steps of 16 pictures, each logged, with a checkpoint every four."""
        return arguments(
            "pretrain.py:demo",
            workdir,
            *self.data(data_dir),
            "epochs=5.12",
            "warmup_epochs=0.5",
            "loader.batch_size=16",
            "loader.workers=0",
            "model.width=32",
            "model.depth=2",
            "model.heads=2",
            "model.decoder_width=32",
            "compute.unroll=False",
            "every.log=1",
            "every.evaluate=12",
            "every.checkpoint=4",
            "probes=()",
            *settings,
        )

    def start(self, argv, *, fault=(), devices=1, terminal=None, **env):
        folder = self.folder / f"run{len(self.started)}"
        folder.mkdir()
        flags = f"--xla_force_host_platform_device_count={devices} "
        flags += "--xla_cpu_multi_thread_eigen=false"
        order = {
            "argv": argv,
            "env": {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", **env},
            "fault": list(fault),
            "terminal": terminal,
            **{name: str(folder / name) for name in ("out", "err", "exit")},
        }
        print(json.dumps(order), file=self.zygote.stdin, flush=True)
        run = Run(folder)
        self.started.append(run)
        return run

    def run(self, argv, **options):
        """Starts, waits for the end; returns the run with its status."""
        run = self.start(argv, **options)
        run.wait()
        return run

    def succeed(self, argv, **options):
        run = self.run(argv, **options)
        assert run.poll() == 0, run.err
        return run


def arguments(config, workdir, *settings):
    return [
        f"--config=configs/{config}",
        f"--workdir={workdir}",
        *(f"--config.{setting}" for setting in settings),
    ]
