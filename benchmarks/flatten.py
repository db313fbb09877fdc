r"""How well the grid of a bent page is read: places in mm against those that the scanner knows.

    python benchmarks/flatten.py --data_dir=<out> --num=40

PTB-XL's fold 9 on letter paper, 850x1100 pixels, through the presets `scan` and `photo`, as in
`domain_gap.py`; nothing is told of the scale but what a layout lets expect. Prints one JSON line
for each preset: how many pages are read, the error of their points (root mean square of a page:
median and worst; 95th percentile of a page: median), and the same for a flat sheet laid over the
page as well as one can, which is what there is without flattening.
"""

import argparse
import json
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from scanned_pictures import PAGE, pages_of, scan_keys

from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.rendering.scan.presets import PRESETS, preset
from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.scans.blank_paper import USUAL_WIDTH_MM
from ecgmae_jax.scans.flattening import read_sheet

_EVERY = 10


def places_of(dataset: Dataset, name: str) -> Iterator[np.ndarray]:
    """For each page (h, w, 3): across and down in mm, and 1 where there is paper."""
    height, width = PAGE.height, PAGE.width
    down, across = ((np.arange(n) + 0.5) / PAGE.px_per_mm for n in (height, width))
    plane = np.stack([*np.meshgrid(across, down), np.ones((height, width))], axis=-1)
    scanner = make_scanner(
        preset(name),
        height=height,
        width=width,
        channels=PAGE.channels,
        px_per_mm=PAGE.px_per_mm,
        fills=("zero",),
    )

    @jax.jit
    def scan(seeds: jax.Array) -> jax.Array:
        white = jnp.zeros((len(seeds), height, width, PAGE.channels), jnp.uint8)
        planes = jnp.broadcast_to(jnp.float32(plane), (len(seeds), *plane.shape))
        return scanner(white, scan_keys(seeds), (planes,))[1][0]

    for batch in make_eval_loader(dataset, batch_size=8, keys=("key",)):
        yield from np.asarray(scan(batch["key"]))[batch["mask"] > 0]


def errors_of(page: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Distances in mm of points from where they are read, and from a flat sheet; None if unread."""
    sheet = read_sheet(
        Image.fromarray(page), px_per_mm=None, expected_px_per_mm=page.shape[1] / USUAL_WIDTH_MM
    )
    if isinstance(sheet, str):
        return None
    seen = places[::_EVERY, ::_EVERY]
    on_paper = seen[..., 2] > 0.99
    rows, columns = ((np.arange(0, n, _EVERY) + 0.5) / n * 2 - 1 for n in places.shape[:2])
    y, x = np.meshgrid(rows, columns, indexing="ij")
    off = [c.at(y, x) - seen[..., i] for i, c in enumerate((sheet.across, sheet.down))]
    off = [some[on_paper] - np.median(some[on_paper]) for some in off]
    return np.hypot(*off), _off_flat(np.stack([x, y], -1)[on_paper], seen[on_paper][:, :2])


def _off_flat(at: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distances from the best picture of a flat sheet: moved, turned and scaled."""
    x, y = (at * (PAGE.width / 2, PAGE.height / 2)).T
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    terms = np.block([[np.stack([x, -y, ones, zeros], -1)], [np.stack([y, x, zeros, ones], -1)]])
    wanted = places.T.ravel()
    off = wanted - terms @ np.linalg.lstsq(terms, wanted)[0]
    return np.hypot(*off.reshape(2, -1))


def main() -> None:
    """Scans, reads and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--num", type=int, default=40)
    given = parser.parse_args()
    dataset = open_dataset(
        name="ptb_xl", config="signal", data_dir=given.data_dir, split="validation"
    )
    for name in PRESETS:
        pages = (page for batch in pages_of(dataset, name) for page in batch)
        both = zip(range(given.num), pages, places_of(dataset, name), strict=False)
        read = [found for _, *each in both if (found := errors_of(*each)) is not None]
        line = {"benchmark": "flatten", "subject": name, "pages": given.num, "read": len(read)}
        for kind, some in zip(("read_mm", "flat_mm"), zip(*read, strict=True), strict=True):
            rms = [float(np.sqrt(np.mean(off**2))) for off in some]
            high = float(np.median([np.percentile(off, 95) for off in some]))
            line[kind] = {
                "rms_median": round(float(np.median(rms)), 3),
                "rms_worst": round(max(rms), 3),
                "p95_median": round(high, 3),
            }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
