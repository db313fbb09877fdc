import csv
import dataclasses

import numpy as np
import processes
import pytest
from PIL import Image

from ecgmae_jax.cohorts.masks import Mask
from ecgmae_jax.cohorts.stored_pictures import PictureForm
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.contact_sheets import contact_sheet
from ecgmae_jax.programs.scan_previews import preview_of, scans_in
from ecgmae_jax.scans.normalise import Steps

SIZE = {"height": 120, "width": 160, "channels": 1}
ALL = PictureForm(**SIZE, steps=Steps(crop=True, deskew=True, scale=True, flatten=True))
AS_IT_IS = PictureForm(**SIZE, steps=Steps(crop=False, deskew=False, scale=False, flatten=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Grid paper of 200 x 150 mm at 4 px/mm turned by 3 degrees, and a file that is no picture."""
    pixels = np.full((600, 800, 3), (254, 246, 243), np.uint8)
    for step, colour in ((4, (244, 186, 178)), (20, (229, 128, 120))):
        pixels[::step] = colour
        pixels[:, ::step] = colour
    folder = tmp_path_factory.mktemp("scans")
    turned = Image.fromarray(pixels).rotate(3, expand=True, fillcolor=(254, 246, 243))
    (folder / "a").mkdir()
    turned.save(folder / "a" / "grid.png")
    (folder / "broken.jpg").write_bytes(b"nothing")
    (folder / ".hidden.png").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("nothing")
    return folder


def test_scans_are_found_by_their_suffix(folder, tmp_path):
    assert [path.name for path in scans_in(folder)] == ["grid.png", "broken.jpg"]
    with pytest.raises(InputError, match="nowhere, which is no folder"):
        scans_in(folder / "nowhere")
    with pytest.raises(InputError, match=r"holds no pictures; expected \.bmp"):
        scans_in(tmp_path)


def test_a_scan_before_and_after(folder):
    path = folder / "a" / "grid.png"
    whole = preview_of(path, name="grid.png", form=ALL, resize=())
    before, after = whole.pictures
    assert (before.shape, after.shape) == ((120, 160, 3), (120, 160, 1))
    assert whole.row["angle_deg"] == pytest.approx(3, abs=0.1)
    assert whole.row["px_per_mm"] == pytest.approx(4, rel=0.01)
    assert whole.caption.startswith("grid.png: no border found; +3.0")
    assert "px/mm (4.0" in whole.caption

    small = dataclasses.replace(ALL, target_px_per_mm=0.7)
    placed = preview_of(path, name="grid.png", form=small, resize=())
    assert (placed.row["stored_px_per_mm"], placed.row["scale"]) == (pytest.approx(0.7), 1.0)
    # 200 mm do not go into 160 pixels at 2 px/mm.
    large = dataclasses.replace(ALL, target_px_per_mm=2.0)
    fitted = preview_of(path, name="grid.png", form=large, resize=())
    assert fitted.caption.endswith("shown whole, not at the scale asked for")


def test_the_contact_sheet_shows_every_picture_at_its_own_size():
    cells = [([np.full((30, 900, 1), level, np.uint8)], "x") for level in (10, 20, 30)]
    sheet = np.asarray(contact_sheet(cells))
    for level in (10, 20, 30):
        assert (sheet == level).all(axis=-1).sum() == 30 * 900


def test_a_folder_through_main(folder, tmp_path, zygote):
    settings = (f"folder={folder}", "picture.height=120", "picture.width=160")
    done = zygote.run(processes.arguments("preview.py", tmp_path, *settings))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "preview.png")
    shown = np.asarray(Image.open(tmp_path / "preview.png"))
    assert shown.shape[1] == 12 + 2 * (2 * 160 + 24)
    with (tmp_path / "preview.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["outcome"]) for row in rows] == [
        ("a/grid.png", "normalised"),
        ("broken.jpg", "refused"),
    ]
    assert rows[1]["reason"].startswith("not-a-picture")
    assert float(rows[0]["px_per_mm"]) == pytest.approx(4, rel=0.01)


def test_masks_are_painted_over_as_in_a_build(folder):
    path = folder / "a" / "grid.png"
    form = dataclasses.replace(AS_IT_IS, masks=(Mask(0.0, 0.0, 1.0, 0.5),))
    masked = preview_of(path, name="grid.png", form=form, resize=())
    upper, lower = masked.pictures[1][:50], masked.pictures[1][70:]
    assert np.ptp(upper[:, 40:120]) == 0
    assert np.ptp(lower[:, 40:120]) > 0

    in_mm = dataclasses.replace(AS_IT_IS, masks=(Mask(0.0, 0.0, 10.0, 10.0, "mm"),))
    refused = preview_of(path, name="grid.png", form=in_mm, resize=())
    assert refused.row["reason"].startswith("no-scale-for-mask")
    known = dataclasses.replace(in_mm, px_per_mm=4.0)
    stated = preview_of(path, name="grid.png", form=known, resize=())
    assert stated.row["outcome"] == "normalised"
