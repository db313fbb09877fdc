"""Pictures a second through an encoder, whole and unmasked, as `embed` runs it.

    python benchmarks/embed.py                                  # ViT-B/16 and the `cpu` variant
    python benchmarks/embed.py --size=L --picture 384 512 --batch=256 --dtype=bfloat16

Pictures are uint8 arrays of the host, standardised and pooled on the device, and the features come
back to the host. The peer is a large matrix product in the same run, by turns with it: the ratio
is the share of that rate which the encoder reaches. Prints one JSON line for each encoder.
"""

import argparse
import json
import os
import statistics
import time

import jax
import numpy as np

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.flops import encoder_flops
from ecgmae_jax.models.peak import matmul_rate
from ecgmae_jax.models.vit import VIT_SIZES, ViTConfig
from ecgmae_jax.programs.encoders import make_features, random_encoder


def compare(name: str, config: ViTConfig, given: argparse.Namespace) -> dict:
    """The line of one encoder."""
    specification = {"mean": (0.87,) * config.channels, "std": (0.1,) * config.channels}
    features = make_features(
        config, specification, compute=Compute(dtype=given.dtype), pooling="mean"
    )
    params = random_encoder(config, seed=0)
    shape = (given.batch, *config.image_size, config.channels)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.asarray(features(params, pictures))
    seconds, rates = [], []
    for _ in range(given.rounds):
        start = time.perf_counter()
        np.asarray(features(params, pictures))
        seconds.append(time.perf_counter() - start)
        size = 3072 if jax.default_backend() == "cpu" else 8192
        rates.append(matmul_rate(given.dtype, size=size, rounds=1))
    each, rate = statistics.median(seconds) / given.batch, statistics.median(rates)
    operations = encoder_flops(config, num_patches=config.num_patches)
    return {
        "benchmark": "embed",
        "subject": f"{name}, {config.image_size[0]}x{config.image_size[1]}, {given.dtype}",
        "peer": "device matmul",
        "device": jax.devices()[0].device_kind,
        "subject_examples_per_second": round(1 / each, 2),
        "subject_gflops_per_second": round(operations / each / 1e9, 1),
        "peer_gflops_per_second": round(rate / 1e9, 1),
        "ratio": round(operations / each / rate, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=VIT_SIZES, default="B")
    parser.add_argument("--picture", type=int, nargs=2, default=(384, 512))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    whole = ViTConfig(**VIT_SIZES[given.size], image_size=tuple(given.picture), channels=1)
    small = ViTConfig((192, 256), (32, 8), channels=1, width=192, depth=6, heads=3)
    for name, config in ((f"ViT-{given.size}/16", whole), ("pretrain.py:cpu", small)):
        print(json.dumps(compare(name, config, given)), flush=True)


if __name__ == "__main__":
    main()
