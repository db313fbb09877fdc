"""The drawer against ecg-plot 0.2.8, one core each, the same layout and the same final size.

    python benchmarks/render.py             # about two minutes
    python benchmarks/render.py --rounds=9
    python benchmarks/render.py --layouts   # other layouts against 3x4+1, both ours

Both draw twelve leads of 10 s at 500 Hz in two columns of six and end with grey pixels in memory:
ecg-plot by its own `plot` and matplotlib's canvas, averaged down to the size, without a PNG file;
ours by one compiled call for a batch. They take turns in one process; each figure is the ratio of
the medians. `times_floor` is our time over that of writing the picture's bytes once. Prints one
JSON line for each size, or for each layout at 384x512.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Before jax starts its threads: both sides get the same single core.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax  # noqa: E402
import numpy as np  # noqa: E402

from ecgmae_jax.rendering.drawing import make_drawer  # noqa: E402
from ecgmae_jax.rendering.ecg_plot_reference import draw_with_ecg_plot  # noqa: E402
from ecgmae_jax.rendering.named_sheets import make_sheet  # noqa: E402

_SIZES = ((192, 256), (384, 512), (850, 1100))
_LAYOUTS = ("3x4", "3x4+3", "6x2", "6x1", "3x1", "12x1")
_BATCH = 32
_RATE_HZ = 500.0


def recordings(count: int) -> np.ndarray:
    """Twelve leads (count, 12, 5000) in mV with a beat a second, baseline wander and noise."""
    rng = np.random.default_rng(0)
    seconds = np.arange(5000) / _RATE_HZ
    beat = np.exp(-(((seconds % 1 - 0.4) / 0.012) ** 2)) + 0.25 * np.exp(
        -(((seconds % 1 - 0.7) / 0.05) ** 2)
    )
    size = rng.normal(0, 0.8, (count, 12, 1))
    wander = 0.05 * np.sin(2 * np.pi * 0.3 * seconds + rng.uniform(0, 6, (count, 12, 1)))
    return np.float32(size * beat + wander + rng.normal(0, 0.01, (count, 12, 5000)))


def seconds_of(function, *arguments) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def median_seconds(calls: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """What a call of each takes, the calls taking turns after one that is not counted."""
    for call in calls.values():
        call()
    taken = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            taken[name].append(seconds_of(call))
    return {name: statistics.median(values) for name, values in taken.items()}


def compare(height: int, width: int, *, rounds: int) -> dict:
    """The figures for one size."""
    signals = recordings(_BATCH)
    draw = make_drawer(make_sheet("6x2", height=height, width=width), rate_hz=_RATE_HZ)
    on_device = jax.device_put(signals)

    def ours() -> None:
        draw(on_device).block_until_ready()

    def theirs() -> None:
        draw_with_ecg_plot(signals[0], rate_hz=_RATE_HZ, height=height, width=width, channels=1)

    picture = np.zeros((_BATCH, height, width, 1), np.uint8)

    def floor() -> None:
        picture.fill(255)

    medians = median_seconds({"ours": ours, "theirs": theirs, "floor": floor}, rounds=rounds)
    each, floor_each = medians["ours"] / _BATCH, medians["floor"] / _BATCH
    return {
        "benchmark": "render",
        "subject": f"make_drawer, batch {_BATCH}",
        "peer": "ecg-plot 0.2.8",
        "height": height,
        "width": width,
        "subject_ms": round(1e3 * each, 3),
        "peer_ms": round(1e3 * medians["theirs"], 1),
        "ratio": round(medians["theirs"] / each, 1),
        "times_floor": round(each / floor_each, 1),
    }


def compare_layouts(height: int, width: int, *, rounds: int) -> Iterator[dict]:
    """The figures of each layout against the plain one, all drawn in turns."""
    on_device = jax.device_put(recordings(_BATCH))

    def drawing(layout: str) -> Callable[[], jax.Array]:
        draw = make_drawer(make_sheet(layout, height=height, width=width), rate_hz=_RATE_HZ)
        return lambda: draw(on_device).block_until_ready()

    medians = median_seconds(
        {layout: drawing(layout) for layout in ("3x4+1", *_LAYOUTS)}, rounds=rounds
    )
    for layout in _LAYOUTS:
        yield {
            "benchmark": "render_layouts",
            "subject": layout,
            "peer": "3x4+1",
            "height": height,
            "width": width,
            "subject_ms": round(1e3 * medians[layout] / _BATCH, 3),
            "peer_ms": round(1e3 * medians["3x4+1"] / _BATCH, 3),
            "ratio": round(medians[layout] / medians["3x4+1"], 2),
        }


def main() -> None:
    """Runs the comparison for each size, or for each layout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layouts", action="store_true")
    given = parser.parse_args()
    if given.layouts:
        for line in compare_layouts(384, 512, rounds=given.rounds):
            print(json.dumps(line), flush=True)
        return
    for height, width in _SIZES:
        print(json.dumps(compare(height, width, rounds=given.rounds)), flush=True)


if __name__ == "__main__":
    main()
