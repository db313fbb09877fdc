"""Kills a tiny pre-training at random moments, over and over, and compares it with one left alone.

    python tests/faults/random_kills.py --kills=500 --minutes=60 --seed=0

A run is killed (SIGKILL) and started again until it comes to its end; then another begins. Four
kills in five fall within the first seven steps of a start or their saves, the fifth anywhere
before. After every kill each step logged must be the undisturbed run's, to the last bit and the
last record, and each checkpoint whole. Prints one line of JSON, and the tally so far to stderr
after each run; the exit status is 1 if anything was lost.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from data_builders.simulated_ecg import simulated_ecg_dataset_builder
from ecgmae_jax.training import manifests
from ecgmae_jax.training.checkpoint_manager import UNFINISHED

# Pytest finds these by its configuration.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "harness"))

import processes
from machine import Machine


@contextlib.contextmanager
def machine(folder):
    config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny", height=64, width=96, patients_per_condition=7, seed=1
    )
    builder = simulated_ecg_dataset_builder.Builder(data_dir=folder / "data", config=config)
    builder.download_and_prepare()
    with processes.zygote(folder) as zygote:
        yield Machine(zygote, folder / "data")


def rows_of(workdir):
    """Step -> loss and digest; a line cut short by a kill is the next start's to take out."""
    path = workdir / "metrics.jsonl"
    rows = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            rows[row["step"]] = (float(row["loss"]).hex(), row["batch"])
    return rows


class Start:
    """One start of the program in a workdir, and how many steps it has logged itself."""

    def __init__(self, machine, argv, workdir):
        self.workdir = workdir
        self.metrics = workdir / "metrics.jsonl"
        saved = manifests.saved_steps(workdir / "checkpoints")
        self.saved = max((int(step.name) for step in saved), default=0)
        self.inode = self._inode()
        self.until_step_s = None
        self._began, self._date = time.monotonic(), time.time()
        self.run = machine.start(argv)

    def _inode(self):
        return self.metrics.stat().st_ino if self.metrics.exists() else None

    def steps(self):
        """A start replaces the file by one without the steps that it is going to repeat."""
        if self._inode() == self.inode:
            return 0
        steps = max(len(rows_of(self.workdir)) - self.saved, 0)
        if steps and self.until_step_s is None:
            self.until_step_s = time.monotonic() - self._began
        return steps

    def place(self):
        """Where a kill fell: inside a save, before any step of this start, or between two."""
        unfinished = self.workdir.glob(f"checkpoints/*{UNFINISHED}")
        # An older one is what the kill before left.
        if any(folder.stat().st_mtime > self._date for folder in unfinished):
            return "inside a save"
        return "between steps" if self.steps() else "before a step"


def faults_of(workdir, oracle):
    """What was lost, in words."""
    rows = rows_of(workdir)
    wrong = [step for step, row in rows.items() if row != oracle[step]]
    damaged = [
        step.name
        for step in manifests.saved_steps(workdir / "checkpoints")
        if manifests.damage(step)
    ]
    aside = manifests.steps_aside(workdir / "checkpoints")
    return [f"steps {wrong}" if wrong else "", *damaged, *aside]


def kill_once(start, rng, until_step_s):
    """Waits for a random moment of a start, then kills it; whether that was before its end.

    Args:
        start: the program, just begun.
        rng: draws the moment.
        until_step_s: how long the last start took to its first step.
    """
    run = start.run
    if rng.random() < 0.2:
        deadline = time.monotonic() + rng.uniform(0, until_step_s)
    else:
        steps = rng.randint(1, 6)
        while run.poll() is None and start.steps() < steps:
            time.sleep(0.002)
        # The next step, its save, and the beginning of what follows.
        deadline = time.monotonic() + rng.uniform(0, 0.3)
    while run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    if run.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            run.send(signal.SIGKILL)
    return run.wait() == -signal.SIGKILL


def killed_to_the_end(runs, workdir, oracle, rng, tally):
    """Starts and kills until a start comes to its end; returns what was lost, in words."""
    lost = []
    until_step_s = 5.0
    argv = runs.pretrain(workdir, "every.checkpoint=3")
    while True:
        start = Start(runs, argv, workdir)
        killed = kill_once(start, rng, until_step_s)
        until_step_s = start.until_step_s or until_step_s
        lost += [f"{workdir.name}: {fault}" for fault in faults_of(workdir, oracle) if fault]
        if not killed:
            break
        tally["kills"] += 1
        tally[start.place()] += 1
    if start.run.poll() != 0 or rows_of(workdir) != oracle:
        lost.append(f"{workdir.name} ended with {start.run.poll()}: {start.run.err[-300:]}")
    return lost


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tally: collections.Counter[str] = collections.Counter()
    lost: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="random-kills-") as name,
        machine(pathlib.Path(name)) as runs,
    ):
        folder = pathlib.Path(name)
        workdir = folder / "undisturbed"
        runs.succeed(runs.pretrain(workdir, "every.checkpoint=3"))
        oracle = rows_of(workdir)
        end = time.monotonic() + 60 * options.minutes
        while tally["kills"] < options.kills and time.monotonic() < end:
            workdir = folder / f"workdir{tally['runs']}"
            lost += killed_to_the_end(runs, workdir, oracle, rng, tally)
            tally["runs"] += 1
            shutil.rmtree(workdir)
            print(json.dumps(tally | {"lost": len(lost)}), file=sys.stderr, flush=True)
    print(json.dumps({"seed": options.seed, **tally, "lost": lost}))
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
