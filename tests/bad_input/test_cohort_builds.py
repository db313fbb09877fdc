"""Builds of a clinic's folder in which most things are not as they should be."""

import csv
import io
import json
import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from ecgmae_jax.cohorts.make_parts import make_parts
from ecgmae_jax.cohorts.named import named_cohort
from ecgmae_jax.cohorts.scans import read_cohort
from ecgmae_jax.cohorts.split_scans import unique_scans
from ecgmae_jax.data.split_files import SplitFile, read_splits, simple_round, splits_json
from ecgmae_jax.errors import InputError

NOISE = np.random.default_rng(0).integers(0, 256, (96, 128), dtype=np.uint8)
DESCRIPTION = """
key_file = "../key"
picture = {height = 48, width = 64}
normalise = {crop = false, deskew = false, scale = false}
"""
KEY = "an example of a key: 0123456789 abcdefgh"


def saved(kind):
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, format=kind)
    return file.getvalue()


PICTURES = {
    "whole.png": (saved("PNG"), None),
    "whole.jpg": (saved("JPEG"), None),
    "cut.png": (saved("PNG")[:-200], "undecodable"),
    "cut.jpg": (saved("JPEG")[:-2], "undecodable"),
    "empty.png": (b"", "empty-file"),
    "text.png": (b"no picture at all", "not-a-picture"),
    "signal.dcm.png": (bytes(128) + b"DICM" + bytes(64), "not-a-picture"),
}


@pytest.fixture
def cohort(watched, in_one_process):
    """A function that fills the folder: cohort.toml, the table's text, and the pictures."""
    folder = watched / "cohort"
    folder.mkdir()

    def fill(table, *, description=DESCRIPTION):
        (folder / "table.csv").write_text(table)
        (folder / "cohort.toml").write_text(description)
        for name, (content, _) in PICTURES.items():
            (folder / name).write_bytes(content)
        return folder

    (watched / "key").write_text(KEY)
    (watched / "key").chmod(0o600)
    return fill


def build(folder):
    builder = Builder(data_dir=folder.parent / "data")
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))
    return builder


def test_what_cannot_be_decoded_is_counted_and_never_stored(cohort):
    folder = cohort("path\n" + "\n".join([*PICTURES, "absent.png", "../../neighbour/file", ""]))
    builder = build(folder)
    with (pathlib.Path(builder.data_dir) / "rejections.csv").open(newline="") as file:
        codes = sorted(row["code"] for row in csv.DictReader(file))
    expected = [code for _, code in PICTURES.values() if code] + ["no-file", "outside-folder"]
    assert codes == sorted(expected)
    splits = builder.info.splits
    stored = [one for split in splits for one in builder.as_data_source(split=split)]
    assert len(stored) == 2
    assert all(np.ptp(one["image"]) > 100 for one in stored)


def test_a_folder_of_nothing_but_broken_pictures_is_one_line_and_no_dataset(cohort):
    folder = cohort("path\ncut.png\ntext.png\n")
    with pytest.raises(InputError, match=r"nothing to build clinical_cohort from: read 0 .* 1 \("):
        build(folder)
    assert not list((folder.parent / "data").rglob("*.array_record*"))


@pytest.mark.parametrize("name", ["../../../x", "a/b", "all", "", "a b"])
def test_a_part_that_could_not_be_a_file_s_name_is_refused(watched, name):
    splits = SplitFile("custom", "0" * 8, {}, {name: ("0" * 16,)}, (), ())
    with pytest.raises(InputError, match="cannot be names of parts"):
        splits_json(splits)
    # As somebody else's program would write it, with a checksum that fits.
    content = {
        "source": "custom",
        "mark": "0" * 8,
        "method": {},
        "rounds": [],
        "left_out": [],
        "parts": {name: ["0" * 16]},
    }
    path = watched / "splits.json"
    path.write_text(json.dumps({**content, "sha256": splits.fingerprint}))
    with pytest.raises(InputError, match=r"splits\.json: .* cannot be names of parts"):
        read_splits(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no splits file"),
        ("{", "no splits file"),
        ("[]", "no splits file"),
        ('{"sha256": "0"}', "no splits file"),
        ("\0\xff", "no splits file"),
        (splits_json(SplitFile("a", "b", {}, {"c": ()}, (), ())).decode()[:-20], "no splits file"),
    ],
    ids=["empty", "cut", "a list", "a checksum alone", "binary", "its end missing"],
)
def test_what_is_no_splits_file_is_refused(watched, text, words):
    path = watched / "splits.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=words):
        read_splits(path)


SITES = {
    "one called all": ("All", "B", "cannot be names of parts"),
    "one called as the other's validation": ("A", "A validation", "told apart by their letters"),
    "alike but for case": ("North", "north", "told apart by their letters"),
    "of no letters": ("..", "B", "told apart by their letters"),
}


@pytest.mark.parametrize("case", SITES)
def test_sites_that_cannot_be_parts_are_refused(cohort, case):
    one, other, words = SITES[case]
    rows = [f"{i}.png,{i},{other if i % 2 else one}" for i in range(16)]
    folder = cohort("path,patient_id,site\n" + "\n".join(rows))
    for i in range(16):
        (folder / f"{i}.png").touch()
    found = read_cohort(folder, named_cohort("custom"))
    scans, _ = unique_scans(found.scans)
    shares = {"train": 0.7, "validation": 0.15, "test": 0.15}
    settings = {"shares": shares, "folds": 0, "stratify": (), "seed": 0}
    with pytest.raises(InputError, match=words):
        splits_json(make_parts(found, scans, method="site", **settings))


def test_the_rounds_of_sound_splits_are_taken(watched):
    parts = {role: (f"{i:016x}",) for i, role in enumerate(("train", "validation", "test"))}
    splits = SplitFile("custom", "0" * 8, {}, parts, (), simple_round())
    (watched / "splits.json").write_bytes(splits_json(splits))
    assert read_splits(watched / "splits.json") == splits
