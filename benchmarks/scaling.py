"""How cost grows: steps with batch, tokens, depth and devices, probes and builds with records.

    python benchmarks/scaling.py                     # all curves, a few minutes
    python benchmarks/scaling.py --curve=tokens      # one of them

Each curve is measured at sizes that double; its exponent is the slope of the seconds over the
sizes on logarithmic axes, 1 where the cost grows in proportion. The sizes of a curve take turns,
and a point is a median. The peer is proportional growth; the ratio is that growth over ours, from
the smallest size to the largest: above 1 where we grow slower. Devices are pretended ones on the
same cores, so the best that can be is an exponent of 0: the same work for every number. Prints one
JSON line a curve.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping

import jax
import numpy as np
from mae_step import make_mae_step, make_runner

from ecgmae_jax.evaluation.readouts.logistic import fit_logistic
from ecgmae_jax.models.compute import PLAIN
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.training.mesh import make_mesh

_ROUNDS = 3
_DEVICES = 8
_ENCODER = ViTConfig(image_size=(128, 128), channels=1, width=192, depth=4, heads=3)


def step_runner(
    *,
    batch: int = 16,
    rows: int = 8,
    depth: int = _ENCODER.depth,
    devices: int = 1,
) -> Callable[[], float]:
    """The step of a small autoencoder with one size changed; `rows` of 8 patches each."""
    encoder = dataclasses.replace(_ENCODER, image_size=(16 * rows, 128), depth=depth)
    config = MAEConfig(encoder, decoder_width=128, decoder_depth=depth, decoder_heads=4)
    mesh = make_mesh(devices=jax.devices()[:devices])
    return make_runner(make_mae_step(config, compute=PLAIN, batch_size=batch, mesh=mesh))


def probe_runner(rows: int) -> Callable[[], float]:
    """The probe's solver on features of that many recordings: 192 wide, 5 labels, 4 penalties."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, 192)) * np.arange(1, 193) ** -0.5
    targets = (features @ rng.normal(size=(192, 5)) + rng.logistic(size=(rows, 5)) > 0).astype(
        float
    )

    def run() -> float:
        start = time.perf_counter()
        fit_logistic(features, targets, inverse_penalties=10.0 ** np.linspace(-4, 0, 4))
        return time.perf_counter() - start

    run()
    return run


def build_runner(records: int) -> Callable[[], float]:
    """A build of simulated recordings, so many of each split; the start of `tfds` is taken off."""

    def run() -> float:
        return _build_seconds(records) - _start_of_a_build()

    return run


@functools.cache
def _start_of_a_build() -> float:
    return _build_seconds(1)


def _build_seconds(records: int) -> float:
    command = [str(pathlib.Path(sys.executable).with_name("tfds")), "build"]
    command += ["data_builders/simulated_ecg", "--config=sheet_small"]
    command += [f"--max_examples_per_split={records}"]
    repository = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [*command, f"--data_dir={folder}"], cwd=repository, check=True, capture_output=True
        )
        return time.perf_counter() - start


CURVES: Mapping[str, tuple[str, Mapping[int, Callable[[], Callable[[], float]]]]] = {
    "batch": ("train step", {n: lambda n=n: step_runner(batch=n) for n in (8, 16, 32, 64)}),
    "tokens": (
        "train step",
        {8 * n: lambda n=n: step_runner(rows=n) for n in (8, 16, 32, 64)},
    ),
    "depth": ("train step", {n: lambda n=n: step_runner(depth=n) for n in (2, 4, 8, 16)}),
    "devices": ("train step", {n: lambda n=n: step_runner(devices=n) for n in (1, 2, 4, 8)}),
    "rows": ("probe", {n: lambda n=n: probe_runner(n) for n in (1000, 2000, 4000, 8000)}),
    "records": ("build", {3 * n: lambda n=n: build_runner(n) for n in (20, 40, 80, 160)}),
}


def measure(name: str) -> dict:
    """The line of one curve."""
    subject, makers = CURVES[name]
    runners = {size: make() for size, make in makers.items()}
    taken: dict[int, list[float]] = {size: [] for size in runners}
    for _ in range(1 if subject == "build" else _ROUNDS):
        for size, run in runners.items():
            taken[size].append(run())
    seconds = {size: statistics.median(values) for size, values in taken.items()}
    sizes, times = np.log(list(seconds)), np.log(list(seconds.values()))
    growth, proportional = np.exp(times[-1] - times[0]), np.exp(sizes[-1] - sizes[0])
    return {
        "benchmark": "scaling",
        "subject": f"{subject} against {name}",
        "peer": "proportional growth",
        "seconds": {str(size): round(value, 3) for size, value in seconds.items()},
        "exponent": round(float(np.polyfit(sizes, times, 1)[0]), 2),
        "exponent_at_the_end": round(float((times[-1] - times[-2]) / (sizes[-1] - sizes[-2])), 2),
        "ratio": round(float(proportional / growth), 2),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curve", choices=CURVES, action="append")
    given = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", _DEVICES)
    for name in given.curve or CURVES:
        print(json.dumps(measure(name)), flush=True)


if __name__ == "__main__":
    main()
