"""Kills a tiny pre-training at random moments, over and over, and compares it with one left alone.

    python tests/faults/random_kills.py --kills=500 --minutes=60 --seed=0

A run is killed (SIGKILL) and started again until it comes to its end; then another begins. Four
kills in five fall between the first step of a start and its end, the fifth anywhere. After every
kill each step logged must be the undisturbed run's, to the last bit and the last record, and each
checkpoint whole. Prints one line of JSON; the exit status is 1 if anything was lost.
"""

import argparse
import collections
import contextlib
import importlib.util
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from data_builders.simulated_ecg import simulated_ecg_dataset_builder
from ecgmae_jax.training import manifests
from ecgmae_jax.training.checkpoint_manager import UNFINISHED

HERE = pathlib.Path(__file__).resolve().parent


def load_harness():
    specification = importlib.util.spec_from_file_location("machine", HERE / "machine.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["machine"] = module
    specification.loader.exec_module(module)
    return module


@contextlib.contextmanager
def machine(harness, folder):
    config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
        name="tiny", height=64, width=96, patients_per_condition=7, seed=1
    )
    builder = simulated_ecg_dataset_builder.Builder(data_dir=folder / "data", config=config)
    builder.download_and_prepare()
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }
    with subprocess.Popen(
        [sys.executable, str(HERE / "zygote.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | compiled,
    ) as zygote:
        zygote.stdout.readline()
        yield harness.Machine(zygote, folder, folder / "data")
        zygote.stdin.close()


def rows_of(workdir):
    """Step -> loss and digest; a line cut short by a kill is the next start's to take out."""
    path = workdir / "metrics.jsonl"
    rows = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            rows[row["step"]] = (float(row["loss"]).hex(), row["batch"])
    return rows


def place_of(workdir, before):
    """Where a kill fell: before any step of this start, inside a save, or between."""
    if any(workdir.glob(f"checkpoints/*{UNFINISHED}")):
        return "inside a save"
    return "between steps" if len(rows_of(workdir)) > before else "before a step"


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


def kill_once(machine, argv, workdir, rng, seconds):
    """Starts, kills at random; returns the run, and whether the kill came before its end."""
    before = len(rows_of(workdir))
    run = machine.start(argv)
    anywhere = rng.random() < 0.2
    while not anywhere and run.poll() is None and len(rows_of(workdir)) <= before:
        time.sleep(0.005)
    wait_s = rng.uniform(0, seconds["whole" if anywhere else "steps"])
    deadline = time.monotonic() + wait_s
    while run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    if run.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            run.send(signal.SIGKILL)
    return run, run.wait() == -signal.SIGKILL, place_of(workdir, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    counts: collections.Counter[str] = collections.Counter()
    lost = []
    with (
        tempfile.TemporaryDirectory(prefix="random-kills-") as name,
        machine(load_harness(), pathlib.Path(name)) as runs,
    ):
        folder = pathlib.Path(name)
        workdir = folder / "undisturbed"
        began = time.monotonic()
        run = runs.start(runs.pretrain(workdir, "every.checkpoint=2"))
        while not rows_of(workdir):
            time.sleep(0.005)
        stepped = time.monotonic()
        run.wait()
        seconds = {"whole": time.monotonic() - began, "steps": time.monotonic() - stepped}
        oracle = rows_of(workdir)
        end = time.monotonic() + 60 * options.minutes
        while counts["kills"] < options.kills and time.monotonic() < end:
            workdir = folder / f"run{counts['runs']}"
            argv = runs.pretrain(workdir, "every.checkpoint=2")
            while True:
                run, killed, place = kill_once(runs, argv, workdir, rng, seconds)
                lost += [
                    f"{workdir.name}: {fault}" for fault in faults_of(workdir, oracle) if fault
                ]
                if not killed:
                    break
                counts["kills"] += 1
                counts[place] += 1
            counts["runs"] += 1
            if run.poll() != 0 or rows_of(workdir) != oracle:
                lost.append(f"{workdir.name} ended with {run.poll()}: {run.err[-300:]}")
            shutil.rmtree(workdir)
    print(json.dumps({"seed": options.seed, **counts, "lost": lost}))
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
