"""From a cohort full of planted names to its report: no file and no line of it names anybody."""

import base64
import hmac
import os
import pathlib
import re
import stat
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow_datasets as tfds
from array_record.python import array_record_module
from PIL import Image, PngImagePlugin

from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder

KEY = "0123456789abcdef" * 3
NAME, NUMBER, BORN, NOTE = "Kowalczyk", "40071953", "19531107", "Wisniewska"
PLANTED = (NAME, NUMBER, BORN, NOTE, KEY)
SPLITS = {"train": 16, "validation": 8, "test": 8}
DESCRIPTION = """
key_file = "../cohort.key"
picture = {height = 32, width = 48}
normalise = {crop = false, deskew = false, scale = false}
[outcomes.death]
classes = ["no", "yes"]
[outcomes.ef]
type = "continuous"
"""
ROWS = {"MAE": "embeddings", "random": "embeddings_random"}
PROGRAMS = ("data", "splits", "pretrain", "embed", "linear_probe", "report")


def scan(path, *, seed):
    """A picture of noise whose file says in three ways whose it is."""
    exif = Image.Exif()
    exif[0x010E] = f"{NAME} {NUMBER}"
    exif[0x9286] = NOTE
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", f"{NAME} {BORN}")
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 96), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif, pnginfo=text)


def patient_of(number):
    """Two scans each."""
    return f"{NUMBER}{number // 2}"


def file_of(number):
    return f"{NAME}_{BORN}_{number}.png"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A folder of scans with a table."""
    folder = tmp_path_factory.mktemp("hospital") / "cohort"
    folder.mkdir()
    rows = ["path,patient_id,age,sex,site,comment,split,death,ef"]
    splits = [name for name, number in SPLITS.items() for _ in range(number)]
    for number, split in enumerate(splits):
        scan(folder / file_of(number), seed=number)
        known = f"{50 + number},F,north,see {NOTE},{split},{number // 2 % 2},{40 + number % 5}.5"
        rows.append(f"{file_of(number)},{patient_of(number)},{known}")
    rows.append(f"{NAME}_absent.png,{NUMBER}99,63,F,north,,test,1,")
    (folder / "table.csv").write_text("\n".join(rows))
    (folder / "cohort.toml").write_text(DESCRIPTION)
    key = folder.with_name("cohort.key")
    key.write_text(KEY)
    key.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def finished(main, cohort, tmp_path_factory):
    """The folder with what every program made of it, and all that they said."""
    runs = tmp_path_factory.mktemp("runs")
    before = os.umask(0o022)
    try:
        download = tfds.download.DownloadConfig(manual_dir=cohort)
        Builder(data_dir=runs / "data").download_and_prepare(download_config=download)
        said = [said_by(main, command) for command in commands(main, cohort, runs)]
    finally:
        os.umask(before)
    return runs, "".join(said)


def said_by(main, command):
    done = main.run(command)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def commands(main, cohort, runs):
    yield main.command("make_splits.py:given", runs / "splits", f"folder={cohort}")
    data = ("name=clinical_cohort", "config=custom", f"data_dir={runs / 'data'}")
    data = tuple(f"data.{fact}" for fact in data)
    tiny = [f"model.{size}" for size in ("width=16", "depth=1", "heads=2", "decoder_width=16")]
    tiny += ["model.decoder_heads=2", "model.patch=(16, 16)", "probes=('death',)", "epochs=2"]
    tiny += ["warmup_epochs=0", "loader.batch_size=8", "compute.unroll=False", "every.log=1"]
    yield main.command("pretrain.py:demo", runs / "pretrain", *data, *tiny)
    few = (f"checkpoint={runs / 'pretrain'}", "baselines=('random',)")
    yield main.command("embed.py:demo", runs / "embed", *data, *few)
    rows = [f"rows.{row}={runs / 'embed' / file}.parquet" for row, file in ROWS.items()]
    asked = (*rows, f"order={(*ROWS, 'age+sex')}", "labels=('death',)", "outcomes=('ef',)")
    small = ("bootstrap.resamples=50", "readouts.neighbours.neighbours=3", "probe.folds=2")
    yield main.command("linear_probe.py:demo", runs / "linear_probe", *asked, *small)
    predictions = runs / "linear_probe" / "predictions.csv"
    models = tuple(f"{row}={predictions}" for row in ROWS)
    (rejections,) = (runs / "data").rglob("rejections.csv")
    of = (f"models={models}", "label=death", f"rejections={rejections}", "bootstrap.resamples=50")
    yield main.command("report.py:demo", runs / "report", *of)


def content_of(path: pathlib.Path) -> bytes:
    """The bytes of a file, and those that it holds in compressed form."""
    content = path.read_bytes()
    if ".array_record-" in path.name:
        reader = array_record_module.ArrayRecordReader(str(path))
        content += b"".join(reader.read_all())
        reader.close()
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        content += repr((table.schema.metadata, table.drop("embedding").to_pylist())).encode()
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            content += b"".join(archive.read(name) for name in archive.namelist())
    elif path.suffix == ".png":
        with Image.open(path) as picture:
            content += repr((picture.info, dict(picture.getexif()))).encode()
    elif path.suffix == ".html":
        embedded = re.findall(r"base64,([A-Za-z0-9+/=]+)", content.decode())
        content += b"".join(map(base64.b64decode, embedded))
    return content


def files_of(runs):
    return [path for path in runs.rglob("*") if path.is_file()]


@pytest.mark.parametrize("planted", PLANTED)
def test_no_file_and_no_line_holds_a_planted_name(finished, planted):
    runs, said = finished
    for path in files_of(runs):
        assert planted.lower() not in str(path.relative_to(runs)).lower()
        assert planted.lower().encode() not in content_of(path).lower(), path
        # As text of two bytes a letter, and as bytes of hexadecimal digits.
        for other in (planted.encode("utf-16-le"), planted.encode().hex().encode()):
            assert other not in content_of(path), path
    assert planted.lower() not in said.lower()


def test_every_program_was_searched_and_the_search_would_find_them(finished):
    runs, said = finished
    names = {path.name for path in files_of(runs)}
    assert {"config.json", "versions.json", "history.jsonl", "metrics.jsonl"} <= names
    assert {"embeddings.parquet", "predictions.csv", "report.html", "manifest.json"} <= names
    assert {"splits.json", "model_card.md", "MAE_death.npz", "rejections.csv"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert any(name.endswith(".png") for name in names)
    assert all(program in said for program in ("embeddings.parquet", "report.html"))
    record = hmac.new(KEY.encode(), f"record\0{file_of(31)}".encode(), "sha256").hexdigest()[:16]
    found = {path.name for path in files_of(runs) if record.encode() in content_of(path)}
    assert {"embeddings.parquet", "predictions.csv"} <= found


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_made_is_for_its_owner_alone(finished, program):
    folder = finished[0] / program
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
