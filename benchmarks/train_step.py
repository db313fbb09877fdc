"""The train step of a masked autoencoder against PyTorch's and against the device's matmul rate.

    python benchmarks/train_step.py                                   # CPU: without the first peer
    python benchmarks/train_step.py --torch-python=<venv>/bin/python  # a Python that has torch
    python benchmarks/train_step.py --torch-python=... --torch-compile --batch=256 --dtype=bfloat16
    python benchmarks/train_step.py --picture 384 512 --channels=1 --dtype=bfloat16 --draw

ViT-B/16 with the 8x512 decoder, a quarter of the patches visible, loss, gradient and AdamW, on a
batch that is already on the device. PyTorch runs the same sizes in a process of its own
(`torch_mae.py`). Ours, PyTorch's and a large matrix product take turns; the figures are ratios of
medians. With `--draw` our step gets signals and draws the sheets itself. Prints a JSON line a
peer, with the load of the machine beside it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
from collections.abc import Callable

import jax
from mae_step import make_mae_step, make_runner, one_device

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.flops import mae_train_flops
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.peak import device_peak, matmul_rate
from ecgmae_jax.models.vit import VIT_SIZES, ViTConfig


def parse() -> argparse.Namespace:
    """What is measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=VIT_SIZES, default="B")
    parser.add_argument("--picture", type=int, nargs=2, default=(224, 224))
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--attention", default="xla")
    parser.add_argument("--unroll", action="store_true")
    parser.add_argument("--remat", default="none")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--torch-python")
    parser.add_argument("--torch-compile", action="store_true")
    return parser.parse_args()


def start_torch(given: argparse.Namespace, config: MAEConfig) -> tuple[Callable[[], float], dict]:
    """A function that has PyTorch run its step once, and what PyTorch says of itself."""
    encoder = config.encoder
    platform = "cpu" if jax.default_backend() == "cpu" else "cuda"
    sizes = {
        "patch": encoder.patch_size,
        "encoder": (encoder.width, encoder.depth, encoder.heads),
        "decoder": (config.decoder_width, config.decoder_depth, config.decoder_heads),
        "batch": (given.batch,),
        "height": (encoder.image_size[0],),
        "width": (encoder.image_size[1],),
        "channels": (encoder.channels,),
    }
    command = [given.torch_python, str(pathlib.Path(__file__).with_name("torch_mae.py"))]
    for name, values in sizes.items():
        command += [f"--{name}", *map(str, values)]
    command += ["--device", platform, "--dtype", given.dtype]
    command += ["--compile"] if given.torch_compile else []
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer() -> str:
        line = peer.stdout.readline()
        if not line:
            raise SystemExit(f"PyTorch ended with exit code {peer.wait()}")
        return line

    about = json.loads(answer())

    def run() -> float:
        print("step", file=peer.stdin, flush=True)
        return float(answer())

    return run, about


def main() -> None:
    """Runs the comparison and prints it."""
    given = parse()
    encoder = ViTConfig(
        **VIT_SIZES[given.size], image_size=tuple(given.picture), channels=given.channels
    )
    config = MAEConfig(encoder)
    work = given.batch * mae_train_flops(config)
    on_cpu = jax.default_backend() == "cpu"
    matmul_size = 3072 if on_cpu else 8192
    compute = Compute(
        dtype=given.dtype, attention=given.attention, remat=given.remat, unroll=given.unroll
    )
    made = make_mae_step(
        config, compute=compute, batch_size=given.batch, mesh=one_device(), drawn=given.draw
    )
    calls, about = {"ours": make_runner(made)}, {}
    if given.torch_python:
        calls["torch"], about = start_torch(given, config)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    rates = []
    for _ in range(given.rounds):
        for name, call in calls.items():
            seconds[name].append(call())
        rates.append(matmul_rate(given.dtype, size=matmul_size, rounds=1))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    common = {
        "benchmark": "train_step",
        "subject": f"ViT-{given.size}/16 MAE {given.picture[0]}x{given.picture[1]}"
        f"{' drawn' if given.draw else ''}, {given.dtype}, batch {given.batch}",
        "device": jax.devices()[0].device_kind,
        "rounds": given.rounds,
        "subject_seconds": round(medians["ours"], 3),
        "subject_examples_per_second": round(given.batch / medians["ours"], 2),
        "subject_gflops_per_second": round(work / medians["ours"] / 1e9, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    if about:
        mode = "compiled" if given.torch_compile else "eager"
        peer = {
            "peer": f"torch {mode}",
            "peer_seconds": round(medians["torch"], 3),
            "ratio": round(medians["torch"] / medians["ours"], 3),
        }
        print(json.dumps(common | peer | about))
    rate = statistics.median(rates)
    peer = {"peer": f"device matmul {matmul_size}", "peer_gflops_per_second": round(rate / 1e9, 1)}
    print(json.dumps(common | peer | {"ratio": round(work / medians["ours"] / rate, 3)}))
    if not on_cpu:
        peak = device_peak(given.dtype)
        ratio = round(work / medians["ours"] / peak.flops_per_second, 3)
        print(json.dumps(common | {"peer": peak.source, "ratio": ratio}))


if __name__ == "__main__":
    main()
