"""Recordings as pictures of an encoder: clean, and as scans that come in by two ways.

Clean pictures are drawn on the encoder's own sheet. Scans are those of letter paper with a red
grid, 850x1100 pixels in colour, from a scanner's glass and from a telephone, the same ones for
every encoder. They come in as they are, or by the clinical path, which puts them straight and
brings them to the encoder's px/mm (encoders of blank sheets: the ink alone, where the layout has
it).
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ecgmae_jax.cohorts.stored_pictures import PictureForm, picture_form, stored_picture
from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.programs import inputs
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.scanner import make_scanner

# The preset of the scanner, and whether the scans come in by the clinical path.
SCANS = {
    "scan": ("scan", False),
    "scan_clinical": ("scan", True),
    "photo": ("photo", False),
    "photo_clinical": ("photo", True),
}
_LAYOUT = "3x4+1"
_GEOMETRY = {"layout": _LAYOUT, "mm_per_s": 25.0, "mm_per_mv": 10.0}
PAGE = make_sheet(_LAYOUT, height=850, width=1100, channels=3, style="red")

Pictures = UInt8[np.ndarray, "n h w c"]


def clean_pictures(dataset: Dataset, specification: Mapping[str, Any]) -> Pictures:
    """The encoder's own sheets of a dataset's recordings."""
    drawer = inputs.make_sheet_drawer(dataset.picture["signal"], specification)
    batches = make_eval_loader(dataset, batch_size=32, keys=("signal",))
    return np.concatenate([np.asarray(drawer(b["signal"]))[b["mask"] > 0] for b in batches])


def scans_of(
    dataset: Dataset,
    kinds: Sequence[str],
    specifications: Sequence[Mapping[str, Any]],
    workers: Executor,
) -> list[dict[str, Pictures]]:
    """For each encoder's specification, the dataset's scans by kind, see SCANS."""
    ways = [_forms(specification) for specification in specifications]
    found: list[dict[str, list]] = [{kind: [] for kind in kinds} for _ in ways]
    for name in dict.fromkeys(SCANS[kind][0] for kind in kinds):
        wanted = [kind for kind in kinds if SCANS[kind][0] == name]
        for pages in pages_of(dataset, name):
            for forms, rows in zip(ways, found, strict=True):
                for kind in wanted:
                    bring_in = functools.partial(_brought_in, forms[SCANS[kind][1]])
                    rows[kind] += workers.map(bring_in, pages)
    return [{kind: np.stack(rows[kind]) for kind in kinds} for rows in found]


def pages_of(dataset: Dataset, name: str) -> Iterator[Pictures]:
    """Batches of the dataset's pages after a preset of the scanner, in its order."""
    storage = dataset.picture["signal"]
    scan = _scanner(name, *(storage[fact] for fact in ("rate_hz", "uv_per_lsb", "missing")))
    for batch in make_eval_loader(dataset, batch_size=8, keys=("signal", "key")):
        pages = scan(batch["signal"], batch["key"])
        yield np.asarray(pages)[batch["mask"] > 0]


def scan_keys(seeds: jax.Array) -> jax.Array:
    """The scanner's keys for examples of these keys."""
    return jax.vmap(lambda seed: jax.random.split(jax.random.key(seed), 3)[1])(seeds)


@functools.cache
def _scanner(name: str, rate_hz: float, uv_per_lsb: float, missing: int) -> Callable:
    storage = {"uv_per_lsb": uv_per_lsb, "missing": missing}
    deck = make_deck([PAGE], rate_hz=rate_hz)
    size = {"height": PAGE.height, "width": PAGE.width, "channels": PAGE.channels}
    scanner = make_scanner(preset(name), **size, px_per_mm=PAGE.px_per_mm, fills=())

    @jax.jit
    def scan(signal: jax.Array, seeds: jax.Array) -> jax.Array:
        which = jnp.zeros(len(signal), jnp.int32)
        pages = draw(deck, inputs.as_millivolts(signal, storage), which).image
        return scanner(pages, scan_keys(seeds), ())[0]

    return scan


def _forms(specification: Mapping[str, Any]) -> dict[bool, PictureForm]:
    """How scans come in as pictures of an encoder: by the clinical path or not."""
    sheet = inputs.sheet_of(specification)
    size = {name: specification["picture"][name] for name in ("height", "width", "channels")}
    blank = sheet == make_sheet(_LAYOUT, **size, style="blank")

    def form(*, taken: bool) -> PictureForm:
        steps = dict.fromkeys(("crop", "deskew", "scale", "flatten"), taken) | {
            "ink": taken and blank
        }
        if taken and not blank:
            steps["px_per_mm"] = sheet.px_per_mm
        return picture_form(size, normalise=steps, geometry=_GEOMETRY, masks=())

    return {False: form(taken=False), True: form(taken=True)}


def _brought_in(form: PictureForm, page: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    return stored_picture(Image.fromarray(page), form, record_id="").framed.pixels
