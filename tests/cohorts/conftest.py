"""A small cohort with pictures, and the seed of its pseudonyms."""

import dataclasses
import hmac
import pathlib

import numpy as np
import pytest
from PIL import Image

KEY = "an example of a key: 0123456789 abcdefgh"


@dataclasses.dataclass(frozen=True)
class Folder:
    """A cohort's folder being filled; the key lies beside it."""

    path: pathlib.Path

    def write(self, **texts: str) -> "Folder":
        """Text files by name, `_` for the dot."""
        for name, text in texts.items():
            (self.path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return self

    def scan(self, name: str, *, seed: int, **options) -> "Folder":
        """A picture of a curve on paper, another one for each seed."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        curve_picture(seed).save(path, **options)
        return self

    def pseudonym(self, kind: str, text: str) -> str:
        """By the definition of HMAC, not by the code under test."""
        return hmac.new(KEY.encode(), f"{kind}\0{text}".encode(), "sha256").hexdigest()[:16]


def curve_picture(seed: int) -> Image.Image:
    """Four rows of a wandering line, 300 x 240 pixels."""
    rng = np.random.default_rng(seed)
    pixels = np.full((240, 300), 245, np.uint8)
    for row in range(4):
        steps = np.cumsum(rng.normal(0, 2, 300))
        place = 30 + 60 * row + np.clip(steps - steps.mean(), -25, 25).astype(int)
        for thick in (-1, 0, 1):
            pixels[np.clip(place + thick, 0, 239), np.arange(300)] = 20
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path) -> Folder:
    """An empty cohort but for its key."""
    key = tmp_path / "cohort.key"
    key.write_text(KEY)
    key.chmod(0o600)
    path = tmp_path / "cohort"
    path.mkdir()
    return Folder(path).write(cohort_toml='key_file = "../cohort.key"\n')


@pytest.fixture(scope="session")
def draw_curves():
    """The picture of a seed."""
    return curve_picture
