"""A dataset and a folder shown as a model sees them."""

import csv

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.data.source import open_dataset


@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_a_dataset_is_shown_pixel_by_pixel(main, request, tmp_path, with_checkpoint):
    settings = [*main.data(), "num_pictures=3"]
    if with_checkpoint:
        settings.append(f"checkpoint={request.getfixturevalue('pretrained')}")
    main.succeed(main.command("preview.py", tmp_path, *settings))
    dataset = open_dataset(
        name="simulated_ecg", config="tiny", data_dir=main.data_dir, split="train"
    )
    shown = np.asarray(Image.open(tmp_path / "preview.png"))
    for number in range(3):
        left = 12 + number * (96 + 12)
        cell = shown[12 : 12 + 64, left : left + 96]
        np.testing.assert_array_equal(cell[..., :1], dataset.source[number]["image"])
    with (tmp_path / "preview.csv").open(newline="") as file:
        names = [row["record_id"] for row in csv.DictReader(file)]
    assert names == [dataset.source[number]["record_id"] for number in range(3)]


def test_a_folder_is_brought_to_the_size_of_the_model(main, pretrained, tmp_path):
    (tmp_path / "scans").mkdir()
    Image.new("L", (300, 200), 240).save(tmp_path / "scans" / "a.png")
    settings = (f"folder={tmp_path / 'scans'}", f"checkpoint={pretrained}")
    main.succeed(main.command("preview.py", tmp_path / "out", *settings))
    shown = np.asarray(Image.open(tmp_path / "out" / "preview.png"))
    assert shown.shape[1] == 12 + 96 + 12 + 96 + 12


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["folder=/nowhere"], "config.folder is /nowhere, which is no folder"),
        (["num_pictures=0"], "config.num_pictures is 0; expected 1 or more"),
    ],
)
def test_a_wrong_setting_is_one_line(main, tmp_path, settings, words):
    done = main.run(main.command("preview.py", tmp_path / "run", *main.data(), *settings))
    assert done.returncode == 2
    assert done.stderr.strip().endswith(words)
    assert not (tmp_path / "run").exists()


def test_ink_is_not_shown_as_pictures_of_a_model_of_other_sheets(main, pretrained, tmp_path):
    (tmp_path / "scans").mkdir()
    Image.new("L", (300, 200), 240).save(tmp_path / "scans" / "a.png")
    settings = (f"folder={tmp_path / 'scans'}", f"checkpoint={pretrained}", "normalise.ink=True")
    done = main.run(main.command("preview.py", tmp_path / "out", *settings))
    assert done.returncode == 2
    assert "config.normalise.ink puts the ink on a blank sheet of {'layout'" in done.stderr
    assert "was trained on another sheet" in done.stderr
