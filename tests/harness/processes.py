"""Runs of `main.py` as processes that can be watched, signalled and killed."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

DEADLINE_S = 500
# 24 steps of 16 of the tiny dataset's pictures, each logged, with a checkpoint every four.
TINY_PRETRAINING = (
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
)
ZYGOTE = pathlib.Path(__file__).with_name("zygote.py")


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
        wait_for_end_of_session(self.pid)
        return int(status)

    def workers(self):
        """Grain's worker processes, once there are any."""

        def found():
            pids = []
            for pid in session_of(self.pid):
                try:
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if "spawn_main" in command:
                    pids.append(pid)
            return pids

        return wait_for(found)


def session_of(leader):
    """Living processes of a session, by the sixth field of /proc/<pid>/stat."""
    members = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z" and int(fields[3]) == leader:
            members.append(int(stat.parent.name))
    return members


def text(path):
    return path.read_text() if path.exists() else ""


def wait_for(condition, *, seconds=DEADLINE_S, what=lambda: ""):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s: {what()}")
        time.sleep(0.01)
    return value


def wait_for_end_of_session(leader):
    wait_for(lambda: not session_of(leader), seconds=20, what=lambda: f"left: {session_of(leader)}")


def wait_for_lines(path, number, run):
    """Returns once a file that the run writes has so many lines."""

    def written():
        # Asked first: the last line may come between the two.
        ended = run.poll() is not None
        enough = len(text(path).splitlines()) >= number
        assert enough or not ended, run.err
        return enough

    wait_for(written)


@dataclasses.dataclass
class Zygote:
    """Starts runs; what they have compiled is shared between them, in its environment's cache."""

    process: subprocess.Popen
    folder: pathlib.Path
    environment: dict[str, str]
    started: list = dataclasses.field(default_factory=list)

    def start(self, argv, *, fault=(), terminal=None, **env):
        folder = self.folder / f"run{len(self.started)}"
        folder.mkdir()
        os.umask(umask := os.umask(0))
        order = {
            "argv": [str(argument) for argument in argv],
            # The zygote itself is watched; of its runs those that name a file for their attempts.
            "env": {"ATTEMPTS": ""} | env,
            "umask": umask,
            "fault": list(fault),
            "terminal": terminal,
            **{name: str(folder / name) for name in ("out", "err", "exit")},
        }
        print(json.dumps(order), file=self.process.stdin, flush=True)
        run = Run(folder)
        self.started.append(run)
        return run

    def end_all(self):
        for run in self.started:
            if run.poll() is None:
                run.send(signal.SIGKILL)

    def run(self, argv, **options):
        """Starts, waits for the end; what a process of its own would have given."""
        run = self.start(argv, **options)
        status = run.wait()
        return subprocess.CompletedProcess(argv, status, run.out, run.err)


@contextlib.contextmanager
def zygote(folder):
    """A zygote that keeps what its runs say, and compile, in a folder; it may not be online."""
    environment = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(pathlib.Path(__file__).with_name("watch")),
    }
    attempts = folder / "attempts"
    with (
        (folder / "zygote.err").open("w") as errors,
        subprocess.Popen(
            [sys.executable, str(ZYGOTE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | environment | {"ATTEMPTS": str(attempts)},
        ) as process,
    ):
        assert process.stdout.readline() == "ready\n", text(folder / "zygote.err")
        yield (started := Zygote(process, folder, environment))
        started.end_all()
        process.stdin.close()
    assert not attempts.exists(), f"imports reached for the network: {attempts.read_text()}"


def arguments(config, workdir, *settings):
    """Of `main.py`."""
    return [
        f"--config=configs/{config}",
        f"--workdir={workdir}",
        *(f"--config.{setting}" for setting in settings),
    ]
