"""Shows every artefact of scans and photographs at several strengths, on one sheet."""

import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import workdirs
from ecgmae_jax.programs.contact_sheets import contact_sheet
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS
from ecgmae_jax.rendering.scan.scanner import make_scanner
from ecgmae_jax.rendering.scan.settings import ScanSettings, scaled

_RATE_HZ = 500.0
_SECONDS = 10
_BEAT_S = 0.86
# Centres and widths (s, from the R wave) of P, Q, R, S and T, and their heights (mV) in the
# leads from which the others follow: a healthy heart as drawn in textbooks.
_CENTRES_S = (-0.17, -0.028, 0.0, 0.03, 0.27)
_WIDTHS_S = (0.022, 0.009, 0.011, 0.011, 0.045)
_HEIGHTS_MV = {
    "I": (0.08, -0.05, 0.70, -0.10, 0.20),
    "II": (0.12, -0.08, 1.10, -0.15, 0.30),
    "V1": (0.05, 0.00, 0.25, -0.90, -0.10),
    "V2": (0.06, 0.00, 0.50, -1.40, 0.40),
    "V3": (0.07, 0.00, 0.90, -1.10, 0.50),
    "V4": (0.08, -0.05, 1.40, -0.60, 0.45),
    "V5": (0.08, -0.08, 1.30, -0.25, 0.35),
    "V6": (0.08, -0.08, 1.00, -0.10, 0.25),
}
# Of these a part is shown at full size, where pixels can be told apart; of the others the page.
_IN_DETAIL = ("texture", "focus_blur", "motion_blur", "moire", "sensor_noise")
_IN_DETAIL += ("white_clipping", "photocopy", "fax", "binarise", "jpeg")

Pixels = UInt8[np.ndarray, "h w c"]


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `artefacts.png`: for each artefact the same sheet at rising strengths."""
    if unknown := sorted(set(config.strengths) - set(ARTEFACTS)):
        raise InputError(f"config.strengths names {unknown}; there are {', '.join(ARTEFACTS)}")
    if config.data.name:
        dataset = open_dataset(**config.data, split=config.split)
        if "px_per_mm" not in dataset.picture or dataset.picture.get("origin") == "scans":
            raise InputError(
                f"{dataset.name}/{dataset.config} holds no drawn sheets; choose "
                "--config.data.config=sheet, or --config.data.name='' for a drawn example"
            )
        page, px_per_mm = np.asarray(dataset.source[0]["image"]), dataset.picture["px_per_mm"]
        data = {dataset.name: dataset.fingerprint}
    else:
        page, px_per_mm = example_sheet(**config.picture)
        data = {}
    workdirs.open_workdir(workdir, config, data=data)
    key = jax.random.key(config.seed)
    cells = []
    for name in filter(config.strengths.get, ARTEFACTS):
        strengths = config.strengths[name]
        pictures = [_scanned(page, px_per_mm, name, strength, key) for strength in strengths]
        caption = f"{name}: {', '.join(f'{s:g}' for s in strengths)} {ARTEFACTS[name].unit}"
        cells.append(([_shown(picture, name) for picture in pictures], caption))
    path = workdir / "artefacts.png"
    contact_sheet(cells).save(path, optimize=True)
    print(path)


def example_sheet(*, height: int, width: int, channels: int) -> tuple[Pixels, float]:
    """A sheet with a regular rhythm on it, and its scale in pixels per millimetre."""
    sheet = make_sheet(height=height, width=width, channels=channels)
    deck = make_deck([sheet], rate_hz=_RATE_HZ)
    drawn = jax.jit(lambda signal: draw(deck, signal, jnp.zeros(1, jnp.int32)))
    return np.asarray(drawn(heartbeats()[None]).image[0]), sheet.px_per_mm


def heartbeats() -> Float32[np.ndarray, "l t"]:
    """Ten seconds of twelve leads at 500 Hz in mV: each wave a Gaussian, every beat the same."""
    seconds = np.arange(int(_SECONDS * _RATE_HZ)) / _RATE_HZ
    beat = (seconds + 0.4) % _BEAT_S - 0.4
    waves = [
        np.exp(-(((beat - centre) / width) ** 2) / 2)
        for centre, width in zip(_CENTRES_S, _WIDTHS_S, strict=True)
    ]
    lead = {name: np.array(heights) @ waves for name, heights in _HEIGHTS_MV.items()}
    one, two = lead["I"], lead["II"]
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.float32(limbs + [lead[f"V{i}"] for i in range(1, 7)])


def _scanned(
    page: Pixels, px_per_mm: float, artefact: str, strength: float, key: jax.Array
) -> Pixels:
    height, width, channels = page.shape
    settings = scaled(ScanSettings(desk=(0.35, 0.35)), artefact, strength)
    scan = make_scanner(
        settings, height=height, width=width, channels=channels, px_per_mm=px_per_mm
    )
    return np.asarray(scan(jnp.asarray(page[None]), key[None])[0][0])


def _shown(picture: Pixels, artefact: str) -> UInt8[np.ndarray, "h2 w2 c"]:
    """Half the picture's size: all of it reduced, or its upper right quarter as it is."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    if artefact in _IN_DETAIL:
        return picture[:height, width : 2 * width]
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BOX))
        for plane in np.moveaxis(picture, 2, 0)
    ]
    return np.stack(planes, axis=2)
