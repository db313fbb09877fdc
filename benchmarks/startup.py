"""Seconds from the command to the first step, with a cold and with a warm compilation cache.

    python benchmarks/startup.py            # the `demo` variant, about two minutes
    python benchmarks/startup.py --rounds=5 --settings model.width=768 model.heads=12

Runs `main.py` on a few simulated recordings, each time in a fresh workdir, until the first step is
logged: Python and its imports, data, compilation, the first state and the first step. The cache is
an empty folder in the first run of each round and the same folder in the second. The ratio is
cold over warm. Prints one JSON line.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import jax

_REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
_RECORDINGS = 32  # for each split


def build(folder: pathlib.Path) -> None:
    """A few simulated recordings, by the command that a user types."""
    command = [str(pathlib.Path(sys.executable).with_name("tfds")), "build"]
    command += ["data_builders/simulated_ecg", "--config=sheet_small", f"--data_dir={folder}"]
    command += [f"--max_examples_per_split={_RECORDINGS}"]
    subprocess.run(command, cwd=_REPOSITORY, check=True, capture_output=True)


def seconds_to_first_step(
    folder: pathlib.Path, *, cache: pathlib.Path, settings: list[str]
) -> float:
    """How long a run takes until its first line of metrics."""
    with tempfile.TemporaryDirectory(dir=folder) as workdir:
        metrics = pathlib.Path(workdir) / "metrics.jsonl"
        command = [sys.executable, "main.py", "--config=configs/pretrain.py:demo"]
        command += [f"--workdir={workdir}", "--config.every.log=1", "--config.probes=()"]
        command += [f"--config.data.data_dir={folder}"]
        command += ["--config.loader.batch_size=8", "--config.epochs=1000"]
        command += [f"--config.{setting}" for setting in settings]
        environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)}
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=_REPOSITORY, env=environment, stdout=subprocess.DEVNULL
        ) as process:
            while not (metrics.exists() and metrics.stat().st_size):
                if process.poll() is not None:
                    raise SystemExit(f"the run ended with exit code {process.returncode}")
                time.sleep(0.01)
            seconds = time.perf_counter() - start
            process.kill()
    return seconds


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--settings", nargs="*", default=[])
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {"cold": [], "warm": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        build(folder)
        for number in range(given.rounds):
            for taken in seconds.values():
                cache = folder / f"cache{number}"
                taken.append(seconds_to_first_step(folder, cache=cache, settings=given.settings))
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    line = {
        "benchmark": "startup",
        "subject": "first step, warm compilation cache",
        "peer": "first step, cold compilation cache",
        "settings": given.settings,
        "device": jax.devices()[0].device_kind,
        "subject_seconds": round(medians["warm"], 1),
        "peer_seconds": round(medians["cold"], 1),
        "ratio": round(medians["cold"] / medians["warm"], 2),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
