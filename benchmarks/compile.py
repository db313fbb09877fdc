"""How long the train step of a masked autoencoder takes to compile, as a loop and written out.

    python benchmarks/compile.py            # ViT-B/16 with the 8x512 decoder, about two minutes
    python benchmarks/compile.py --size=L --rounds=1

The subject runs its blocks as a loop over stacked parameters, the default; the peer has them
written out one after another (`compute.unroll`). They take turns in one process, nothing is kept
between two compilations, and the figure is the ratio of the medians. Prints one JSON line.
"""

import argparse
import json
import os
import statistics
import time

import jax
from mae_step import make_mae_step, one_device

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import VIT_SIZES, ViTConfig

_BATCH = 8


def seconds_to_compile(config: MAEConfig, *, unroll: bool) -> float:
    """From a Python function to an executable: tracing, lowering and XLA's own work."""
    compute = Compute(unroll=unroll)
    made = make_mae_step(config, compute=compute, batch_size=_BATCH, mesh=one_device())
    start = time.perf_counter()
    made.lower().compile()
    return time.perf_counter() - start


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=VIT_SIZES, default="B")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    jax.config.update("jax_enable_compilation_cache", False)
    config = MAEConfig(ViTConfig(**VIT_SIZES[given.size]))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(given.rounds):
        for unroll, taken in seconds.items():
            taken.append(seconds_to_compile(config, unroll=unroll))
    loop, written_out = (statistics.median(taken) for taken in seconds.values())
    line = {
        "benchmark": "compile",
        "subject": f"ViT-{given.size}/16 MAE train step, blocks as a loop",
        "peer": "blocks written out",
        "device": jax.devices()[0].device_kind,
        "subject_seconds": round(loop, 2),
        "peer_seconds": round(written_out, 2),
        "ratio": round(written_out / loop, 2),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
