"""The configs of datasets made of recordings: what is stored of each segment."""

import dataclasses
from typing import get_origin

import tensorflow_datasets as tfds

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.sampler import LayoutSampler
from ecgmae_jax.rendering.scan.presets import PRESETS
from ecgmae_jax.rendering.sheet import Sheet

FORMS = ("sheet", "signal")
RENDERERS = ("jax", "ecg_plot")


@dataclasses.dataclass(eq=False, kw_only=True)
class EcgConfig(tfds.core.BuilderConfig):
    """What is stored of each 10 s segment.

    Attributes:
        form: `sheet`, a drawn picture, or `signal`, its samples; only a sheet has the rest.
        renderer: `jax`, or `ecg_plot`, the ecg-plot package itself, a thousand times slower, which
            follows only the size and the channels.
        chest_gain: the chest leads' share of `mm_per_mv`, 0.5 for 10/5 mm/mV.
        style: paper, grid and ink by name, see `STYLES`, or `ecg_plot`, the look of that package's
            sheets drawn by our own drawer.
        page: the paper's format by name, see `PAGES`.
        random_sheets: how many sheets of random layout, paper and print the pictures are spread
            over; 0 draws all on the one described.
        scan: what a scanner adds: `off`, `scan` (its glass) or `photo` (a telephone).
        drawing_seed: of the random sheets, of which picture gets which, and of the scans.
    """

    form: str = "sheet"
    layout: str = "3x4+1"
    height: int = 384
    width: int = 512
    channels: int = 1
    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0
    chest_gain: float = 1.0
    renderer: str = "jax"
    style: str = "red"
    page: str = "letter"
    random_sheets: int = 0
    scan: str = "off"
    drawing_seed: int = 0

    def __post_init__(self):
        # `tfds build --config` takes them as JSON, too.
        inherited = {field.name for field in dataclasses.fields(tfds.core.BuilderConfig)}
        for field in dataclasses.fields(self):
            kind = (int, float) if field.type is float else get_origin(field.type) or field.type
            found = getattr(self, field.name)
            if field.name not in inherited and not isinstance(found, kind):
                raise InputError(
                    f"config {self.name}: {field.name}={found!r}, expected {field.type.__name__}"
                )
        if self.random_sheets < 0 or self.drawing_seed < 0:
            raise InputError(
                f"config {self.name}: random_sheets={self.random_sheets}, "
                f"drawing_seed={self.drawing_seed}; expected 0 or more"
            )
        choices = (("form", FORMS), ("renderer", RENDERERS), ("scan", ("off", *PRESETS)))
        for field, known in choices:
            if getattr(self, field) not in known:
                found = getattr(self, field)
                raise InputError(f"config {self.name}: {field}={found!r}, expected one of {known}")

    def sheet(self) -> Sheet | None:
        """Geometry of the picture; None where samples are stored."""
        if self.form == "signal":
            return None
        return make_sheet(
            self.layout,
            height=self.height,
            width=self.width,
            channels=self.channels,
            mm_per_s=self.mm_per_s,
            mm_per_mv=self.mm_per_mv,
            chest_gain=self.chest_gain,
            style=self.style,
            page=self.page,
        )

    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets that the pictures are spread over."""
        if not self.random_sheets:
            return (self.sheet(),)
        sampler = LayoutSampler(
            self.drawing_seed, height=self.height, width=self.width, channels=self.channels
        )
        return sampler.sheets(self.random_sheets)


def standard_configs(kind: type[EcgConfig] = EcgConfig) -> dict[str, EcgConfig]:
    """The configs of every dataset made of recordings, `sheet` first."""
    settings = {
        "sheet": {},
        "signal": {"form": "signal"},
        "sheet_small": {"height": 192, "width": 256},
        "sheet_6x2": {"layout": "6x2"},
        "sheet_12x1": {"layout": "12x1"},
        "scanned": {"scan": "scan"},
        "varied": {"random_sheets": 64, "scan": "scan"},
        "ecg_plot": {"renderer": "ecg_plot"},
        "ecg_plot_style": {"style": "ecg_plot"},
    }
    return {name: kind(name=name, **setting) for name, setting in settings.items()}
