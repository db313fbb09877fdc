"""What a train step needs on machines that are not here, told by compiling it for as many devices.

    python benchmarks/ahead_of_time.py                       # the table of docs/scaling.md
    python benchmarks/ahead_of_time.py --case=H224x8         # one line of it

The whole step (loss, gradient, AdamW) of a model is lowered and compiled for 8 or 256 pretended CPU
devices, with the shardings that training gives it; no array is made. Memory is what the compiler
reserves on one device: `state` for parameters and moments, `batch`, and `temporaries`, the most
that is alive within the step. XLA for CPUs computes bfloat16 products in float32 and fuses less
than it does for accelerators, so temporaries are an upper estimate. The peer is the memory of an
80 GiB device; the ratio is that memory over ours. Prints one JSON line a case.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time

import jax
from mae_step import make_mae_step

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.flops import mae_train_flops
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import VIT_SIZES, ViTConfig
from ecgmae_jax.training.mesh import make_mesh

_GIB = 2**30
_DEVICE_GIB = 80


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, the devices and how they share it."""

    size: str
    picture: tuple[int, int]
    patch: int
    channels: int
    devices: int
    fsdp: int
    batch: int

    @property
    def config(self) -> MAEConfig:
        """The autoencoder, with the published decoder."""
        patch = (self.patch, self.patch)
        return MAEConfig(
            ViTConfig(
                image_size=self.picture,
                patch_size=patch,
                channels=self.channels,
                **VIT_SIZES[self.size],
            )
        )


CASES = {
    "H224x8": Case("H", (224, 224), 14, 3, devices=8, fsdp=8, batch=512),
    "H224x256": Case("H", (224, 224), 14, 3, devices=256, fsdp=8, batch=4096),
    "Bsheetx8": Case("B", (512, 1024), 16, 1, devices=8, fsdp=1, batch=256),
    "Bsheetx256": Case("B", (512, 1024), 16, 1, devices=256, fsdp=1, batch=4096),
    "Lsheetx8": Case("L", (512, 1024), 16, 1, devices=8, fsdp=8, batch=256),
    "Lsheetx256": Case("L", (512, 1024), 16, 1, devices=256, fsdp=8, batch=4096),
}


def analyse(name: str) -> dict:
    """The line of one case; every device of its machine has to be there."""
    case = CASES[name]
    compute = Compute(dtype="bfloat16", remat="blocks")
    mesh = make_mesh(fsdp=case.fsdp)
    made = make_mae_step(case.config, compute=compute, batch_size=case.batch, mesh=mesh)
    start = time.perf_counter()
    compiled = made.lower().compile()
    seconds = time.perf_counter() - start
    memory = compiled.memory_analysis()
    batch = sum(a.size * a.dtype.itemsize for a in made.batch.values()) / case.devices
    # The new state lies where the old one was.
    state = memory.argument_size_in_bytes - batch
    needed = state + batch + memory.temp_size_in_bytes
    high, wide = case.picture
    return {
        "benchmark": "ahead_of_time",
        "subject": f"ViT-{case.size}/{case.patch} MAE {high}x{wide}, batch {case.batch}, "
        f"data {case.devices // case.fsdp} x fsdp {case.fsdp}",
        "peer": f"{_DEVICE_GIB} GiB a device",
        "devices": case.devices,
        "state_gib": round(state / _GIB, 2),
        "batch_gib": round(batch / _GIB, 2),
        "temporaries_gib": round(memory.temp_size_in_bytes / _GIB, 2),
        "total_gib": round(needed / _GIB, 2),
        "aliased_gib": round(memory.alias_size_in_bytes / _GIB, 2),
        "tflop_per_device": round(
            case.batch / case.devices * mae_train_flops(case.config) / 1e12, 2
        ),
        "collectives": collectives(compiled.as_text()),
        "compile_seconds": round(seconds, 1),
        "ratio": round(_DEVICE_GIB * _GIB / needed, 1),
    }


def collectives(text: str) -> dict[str, int]:
    """How often each kind of communication stands in the program; a loop's body counts once."""
    kinds = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")
    return {kind: count for kind in kinds if (count := text.count(f" {kind}("))}


def main() -> None:
    """Each case in a process of its own: a process has one number of devices."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES)
    given = parser.parse_args()
    if given.case:
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_num_cpu_devices", CASES[given.case].devices)
        print(json.dumps(analyse(given.case)), flush=True)
        return
    for name in CASES:
        command = [sys.executable, os.path.abspath(__file__), f"--case={name}"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
