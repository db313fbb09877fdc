"""What a build of a cohort writes names nobody: every artefact is searched for planted names."""

import contextlib
import io
import logging
import os
import stat

import numpy as np
import pytest
import tensorflow_datasets as tfds
from array_record.python import array_record_module
from PIL import Image, ImageDraw, ImageFont

from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from ecgmae_jax.cohorts.identifiers import pseudonym
from ecgmae_jax.data.source import open_dataset

KEY = "0123456789abcdef" * 3
NAME, NUMBER, BORN, NOTE = "Kowalczyk", "40071953", "19531107", "Wisniewska"
PLANTED = (NAME, NUMBER, BORN, NOTE, KEY)
TABLE = f"""\
path,patient_id,age,sex,comment,outcome
{NAME}_Zofia_{BORN}.png,{NUMBER},63,F,see {NOTE},0
{NAME}_Zofia_{BORN}.jpg,{NUMBER},63,F,,1
{NAME}_broken.png,{NUMBER},63,F,,1
{NAME}_absent.png,{NUMBER},63,F,,1
{NAME}/inside.tif,{NAME},50,M,,1
"""
# The name is printed over the upper left; the mask covers it.
MASK = "[[masks]]\nleft = 0.0\ntop = 0.0\nright = 0.5\nbottom = 0.25\n"
PICTURE = "picture = {height = 96, width = 128}\n"
NO_STEPS = "normalise = {crop = false, deskew = false, scale = false}\n"


def _page() -> Image.Image:
    page = Image.new("RGB", (256, 192), (250, 245, 240))
    pen = ImageDraw.Draw(page)
    pen.text((6, 6), NAME, "black", ImageFont.load_default(20))
    pen.line([(0, 150), (120, 100), (255, 160)], "black", 3)
    return page


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The data_dir of a cohort full of planted names, and all that the build said."""
    above = tmp_path_factory.mktemp("above")
    folder = above / "cohort"
    (folder / NAME).mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010E] = f"{NAME} {NUMBER}"
    exif[0x9286] = NOTE
    stem = f"{NAME}_Zofia_{BORN}"
    _page().save(folder / f"{stem}.png", exif=exif)
    _page().save(folder / f"{stem}.jpg", exif=exif, comment=NAME.encode(), quality=90)
    _page().save(folder / NAME / "inside.tif")
    (folder / f"{NAME}_broken.png").write_bytes((folder / f"{stem}.png").read_bytes()[:-80])
    (folder / f"notes.{NAME}").touch()
    (folder / "table.csv").write_text(TABLE)
    key = above / "cohort.key"
    key.write_text(KEY)
    key.chmod(0o600)
    toml = f'key_file = "../cohort.key"\n{PICTURE}{NO_STEPS}{MASK}'
    (folder / "cohort.toml").write_text(toml)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    before = os.umask(0o022)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            builder = Builder(data_dir=above / "data")
            config = tfds.download.DownloadConfig(manual_dir=folder)
            builder.download_and_prepare(download_config=config)
    finally:
        os.umask(before)
        logging.getLogger().removeHandler(handler)
    return above / "data", said.getvalue()


def _content(path):
    """The bytes of a file; of a shard also those of its records, which it compresses."""
    content = path.read_bytes()
    if ".array_record-" in path.name:
        reader = array_record_module.ArrayRecordReader(str(path))
        content += b"".join(reader.read_all())
        reader.close()
    return content


def _files(data_dir):
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert len(files) > 5
    return files


@pytest.mark.parametrize("planted", PLANTED)
def test_no_artefact_holds_a_planted_name(built, planted):
    data_dir, said = built
    for path in _files(data_dir):
        assert planted.lower() not in str(path.relative_to(data_dir)).lower()
        assert planted.lower().encode() not in _content(path).lower(), path
    # TFDS names the folder of the dataset, which is the user's own; no scan is named.
    assert planted.lower() not in said.lower()


def test_the_search_would_find_them(built):
    data_dir, said = built
    written = b"".join(_content(path) for path in _files(data_dir))
    assert pseudonym(KEY.encode(), "patient", NUMBER).encode() in written
    assert pseudonym(KEY.encode(), "record", f"{NAME}/inside.tif").encode() in written
    assert pseudonym(KEY.encode(), "record", f"{NAME}_broken.png") in said


def test_pixels_lose_the_printed_name_and_keep_the_rest(built):
    splits = tfds.builder("clinical_cohort", data_dir=built[0]).info.splits
    examples = [
        example
        for split in splits
        for example in open_dataset(
            name="clinical_cohort", config="custom", data_dir=built[0], split=split
        ).source
    ]
    assert len(examples) == 3
    # What is printed there, at the size that is stored.
    small = np.asarray(_page().convert("L").resize((128, 96), Image.Resampling.BOX))
    assert np.ptp(small[:24, :64]) > 100
    for example in examples:
        picture = example["image"][..., 0]
        assert np.ptp(picture[:24, :64]) == 0
        assert np.ptp(picture[24:]) > 100


def test_folders_and_files_are_for_their_owner_alone(built):
    data_dir, _ = built
    for path in data_dir.rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
