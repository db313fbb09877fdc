"""Scans drawn by us against ecg-image-kit's published seconds, and against our own clean drawing.

    python benchmarks/scan.py              # about three minutes
    python benchmarks/scan.py --rounds=9

One core, grey pictures in memory, medians of alternated rounds. `everything` gives every picture
the artefacts that ecg-image-kit has: handwriting, creases, paper texture (its wrinkles), rotation,
crop, sensor noise and colour temperature, in colour; its README states 7.75 s an image for all of
them, on an Apple M2 at 2200x1700, files included. Those seconds are another machine's and another
size's, so the ratio at 1700x2200 is the one between like pictures and the others say what a model's
input costs. `scan` and `photo` are our presets, against the clean drawing in the same run. Prints
one JSON line for each.
"""

import argparse
import json
import os
import statistics

# Before jax starts its threads.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from render import recordings, seconds_of  # noqa: E402

from ecgmae_jax.rendering.drawing import make_drawer  # noqa: E402
from ecgmae_jax.rendering.named_sheets import make_sheet  # noqa: E402
from ecgmae_jax.rendering.scan.presets import preset  # noqa: E402
from ecgmae_jax.rendering.scan.scanner import make_scanner  # noqa: E402
from ecgmae_jax.rendering.scan.settings import ScanSettings, Strength  # noqa: E402

_PUBLISHED_SECONDS = 7.75
_EVERYTHING = ScanSettings(
    rotation=Strength(0.0, 3.0),
    crop=Strength(1.0, 3.0),
    texture=Strength(0.003, 0.015),
    crease=Strength(0.02, 0.12),
    handwriting=Strength(2.0, 5.0),
    sensor_noise=Strength(1.0, 7.0),
    colour_cast=Strength(0.02, 0.25),
)


def measure(
    settings: ScanSettings, *, height: int, width: int, channels: int, batch: int, rounds: int
) -> tuple[float, float]:
    """Median seconds a picture of the clean drawing, and of drawing and scanning."""
    sheet = make_sheet("3x4+1", height=height, width=width, channels=channels)
    draw = make_drawer(sheet, rate_hz=500.0)
    scan = make_scanner(
        settings,
        height=height,
        width=width,
        channels=channels,
        px_per_mm=sheet.px_per_mm,
        fills=(),
    )
    signals = jax.device_put(recordings(batch))
    keys = jax.vmap(jax.random.key)(jnp.arange(batch))

    def clean() -> None:
        draw(signals).block_until_ready()

    def scanned() -> None:
        scan(draw(signals), keys)[0].block_until_ready()

    taken = {clean: [], scanned: []}
    for call in taken:
        call()
    for _ in range(rounds):
        for call, seconds in taken.items():
            seconds.append(seconds_of(call) / batch)
    return statistics.median(taken[clean]), statistics.median(taken[scanned])


def main() -> None:
    """Runs every comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for height, width, batch in ((384, 512, 32), (850, 1100, 16), (1700, 2200, 4)):
        _, seconds = measure(
            _EVERYTHING, height=height, width=width, channels=3, batch=batch, rounds=given.rounds
        )
        peer = {"peer": "ecg-image-kit, all artefacts (README)", "peer_ms": 7_750.0}
        report("everything", height, width, seconds, ratio=_PUBLISHED_SECONDS / seconds, **peer)
    for name in ("scan", "photo"):
        clean, seconds = measure(
            preset(name), height=384, width=512, channels=1, batch=64, rounds=given.rounds
        )
        peer = {"peer": "our clean drawing", "peer_ms": round(1e3 * clean, 3)}
        report(f"preset {name}", 384, 512, seconds, ratio=seconds / clean, **peer)


def report(subject: str, height: int, width: int, seconds: float, *, ratio: float, **peer) -> None:
    """Prints one line."""
    line = {
        "benchmark": "scan",
        "subject": subject,
        "height": height,
        "width": width,
        "subject_ms": round(1e3 * seconds, 3),
    }
    print(json.dumps(line | peer | {"ratio": round(ratio, 2)}), flush=True)


if __name__ == "__main__":
    main()
