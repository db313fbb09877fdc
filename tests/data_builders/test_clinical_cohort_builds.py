"""Whole builds of a cohort, read back as the programs read them, and real scans."""

import csv
import hmac
import json
import pathlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from data_builders.clinical_cohort.scan_examples import examples_of
from ecgmae_jax.cohorts.scans import Scan
from ecgmae_jax.cohorts.stored_pictures import PictureForm
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.scans.normalise import Steps

KEY = "an example of a key: 0123456789 abcdefgh"
DESCRIPTION = """
key_file = "../cohort.key"
picture = {height = 48, width = 64, channels = 3}
geometry.px_per_mm = 4
[outcomes.death]
[outcomes.findings]
classes = ["none", "AF", "LBBB"]
type = "multi-label"
[outcomes.ef]
type = "continuous"
unit = "%"
[outcomes.survival]
type = "time-to-event"
column = "years"
event = "dead"
"""
TABLE = """\
path;patient_id;death;findings;age;sex;site;split;ef;years;dead
a.png;007;1;AF,LBBB;63,5;F;north;train;55,5;2.5;1
b.tif;007;0;none;64;F;north;train;;4;0
c.jpg;8;;;;;;test;60;;
d.png;9;1;AF;50;M;south;train;41;1;yes
"""


# By counting squares on the screen, over 50 mm in the middle of the picture.
COUNTED_PX_PER_MM = {
    "ecg00001.png": 12.3,
    "ecg00002.png": 5.5,
    "ecg00003.png": 6.3,
    "ecg00008.jpg": 6.4,
    "ecg00009.jpeg": 9.4,
    "ecg00010.png": 2.85,
    "ecg00015.png": 3.95,
    "ecg00021.bmp": 2.65,
    "ecg00029.jpg": 4.25,
    "ecg00036.jpg": 3.75,
    "ecg00045.jpg": 4.85,
    "ecg00053.png": 7.9,
    "ecg00054.png": 2.33,
}


@pytest.fixture(scope="module")
def grid_paper():
    """Paper of 200 x 150 mm with lines of 1 and of 5 mm."""

    def draw(*, px_per_mm: int) -> Image.Image:
        pixels = np.full((150 * px_per_mm, 200 * px_per_mm, 3), (254, 246, 243), np.uint8)
        for step, colour in ((1, (244, 186, 178)), (5, (229, 128, 120))):
            pixels[:: step * px_per_mm] = colour
            pixels[:, :: step * px_per_mm] = colour
        return Image.fromarray(pixels)

    return draw


def _scan(path: pathlib.Path, *, size=(128, 96), **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (250, 240, 240)).save(path, **options)


def write_key(path: pathlib.Path) -> None:
    path.write_text(KEY)
    path.chmod(0o600)


def pseudonym(kind: str, text: str) -> str:
    return hmac.new(KEY.encode(), f"{kind}\0{text}".encode(), "sha256").hexdigest()[:16]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[pathlib.Path, pathlib.Path]:
    """The data_dir of a cohort of three readable scans and a truncated one, and its folder."""
    folder = tmp_path_factory.mktemp("above") / "cohort"
    folder.mkdir()
    write_key(folder.with_name("cohort.key"))
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    _scan(folder / "a.png", exif=exif)
    _scan(folder / "b.tif", size=(160, 96), save_all=True, append_images=[Image.new("RGB", (9, 9))])
    _scan(folder / "c.jpg")
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes()[:-60])
    (folder / "table.csv").write_text(TABLE)
    (folder / "cohort.toml").write_text(DESCRIPTION)
    data_dir = tmp_path_factory.mktemp("data")
    builder = Builder(config="huawei", data_dir=data_dir)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))
    return data_dir, folder


def _open(built, split):
    return open_dataset(name="clinical_cohort", config="huawei", data_dir=built[0], split=split)


def test_the_columns_of_the_table_become_label_sets(built):
    train, test = _open(built, "train"), _open(built, "test")
    assert {name: labels.as_dict() for name, labels in train.label_sets.items()} == {
        "death": {"classes": ["0", "1"], "exclusive": True, "empty_is_missing": False},
        "findings": {
            "classes": ["none", "AF", "LBBB"],
            "exclusive": False,
            "empty_is_missing": True,
        },
    }
    first, second = sorted(train.source, key=lambda example: example["age_years"])
    assert first["labels"] == {"death": 1, "findings": (1, 2)}
    assert second["labels"] == {"death": 0, "findings": (0,)}
    assert first["targets"] == {"ef": {"value": 55.5}, "survival": {"time": 2.5, "event": 1.0}}
    assert second["targets"]["survival"] == {"time": 4.0, "event": 0.0}
    assert np.isnan(second["targets"]["ef"]["value"])
    labels = test.source[0]["labels"]
    assert np.isnan(test.label_sets["death"].encode(labels["death"])).all()
    assert np.isnan(test.label_sets["findings"].encode(labels["findings"])).all()


def test_examples_have_the_shared_features(built):
    first, second = sorted(_open(built, "train").source, key=lambda example: example["age_years"])
    assert first["image"].shape == (48, 64, 3)
    assert first["group"] == second["group"] != _open(built, "test").source[0]["group"]
    assert first["source"] == "huawei"
    assert first["record_id"] == pseudonym("record", "a.png")
    assert first["patient_id"] == second["patient_id"] == pseudonym("patient", "007")
    assert (first["segment"], first["start_s"], first["diagnoses"]) == (0, 0.0, ())
    assert (first["age_years"], first["sex"], first["recorded_on"]) == (63.5, "female", "")
    assert (first["site"], first["device"]) == ("north", "")
    assert np.isnan(first["original_rate_hz"])
    assert first["px_per_mm"] == pytest.approx(4 * 48 / 96)
    assert second["px_per_mm"] == pytest.approx(4 * 64 / 160)


def test_the_picture_states_what_is_known(built):
    assert _open(built, "train").picture == {
        "height": 48,
        "width": 64,
        "channels": 3,
        "layout": "3x4+1",
        "mm_per_s": 25.0,
        "mm_per_mv": 10.0,
        "origin": "scans",
    }


def test_what_was_refused_and_noted(built):
    folder = built[0] / "clinical_cohort" / "huawei" / "2.0.0"
    with (folder / "rejections.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["record"], row["code"]) == (pseudonym("record", "d.png"), "undecodable")
    assert row["detail"].startswith("table.csv line 5: ")
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["tally"] == {"read": 3, "pictures": 3, "refused": {"undecodable": 1}}
    assert metadata["counts"] == {"with further pages, which are not read": 1}
    assert "outcome death: 1 2, 0 1; missing 1" in metadata["notes"]
    assert metadata["unlabelled_means_missing"] == ["findings"]
    assert metadata["targets"] == {
        "ef": {"type": "continuous", "unit": "%"},
        "survival": {"type": "time-to-event", "unit": ""},
    }
    assert "outcome ef: 41 to 60 %, median 55.5; missing 1" in metadata["notes"]
    assert (
        "outcome survival: 2 events in 3 times of 1 to 4, median 2.5; missing 1"
        in (metadata["notes"])
    )


def test_exif_is_not_stored(built):
    builder = tfds.builder_from_directory(built[0] / "clinical_cohort/huawei/2.0.0")
    as_stored = {"image": tfds.decode.SkipDecoding()}
    for example in builder.as_data_source(split="train", decoders=as_stored):
        assert example["image"].startswith(b"\x89PNG")
        assert b"Jane Doe" not in example["image"]
        assert b"eXIf" not in example["image"]


def test_the_builder_of_a_built_cohort_knows_its_features(built):
    features = Builder(config="huawei", data_dir=built[0]).info.features
    assert set(features["labels"]) == {"death", "findings"}


def test_a_fault_of_the_cohort_leaves_nothing_behind(built, tmp_path):
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort/table.csv").write_text("path\nno.png\n")
    (tmp_path / "cohort/cohort.toml").write_text('key_file = "../cohort.key"')
    write_key(tmp_path / "cohort.key")
    builder = Builder(data_dir=tmp_path / "out")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "cohort")
    with pytest.raises(InputError, match=r"nothing to build .*: read 0 .* refused 1: no-file 1"):
        builder.download_and_prepare(download_config=config)
    assert not list((tmp_path / "out").glob("clinical_cohort/custom/*"))


def test_tfds_build_of_class_folders(tmp_path, repository):
    for name in ("AF/a.png", "AF/b.png", "sinus/c.png", "sinus/d.png"):
        _scan(tmp_path / "scans" / name, size=(512, 384))
    write_key(tmp_path / "cohort.key")
    (tmp_path / "scans/cohort.toml").write_text('key_file = "../cohort.key"')
    command = [pathlib.Path(sys.executable).with_name("tfds"), "build"]
    command += ["data_builders/clinical_cohort", f"--manual_dir={tmp_path / 'scans'}"]
    run = subprocess.run(
        [*command, f"--data_dir={tmp_path / 'data'}"],
        capture_output=True,
        text=True,
        cwd=repository,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert "clinical_cohort/custom: outcome label: AF 2, sinus 2; missing 0" in run.stdout
    assert "no patient ids: every file counts as a patient of its own" in run.stdout
    names = {}
    for split in tfds.builder("clinical_cohort/custom", data_dir=tmp_path / "data").info.splits:
        dataset = open_dataset(
            name="clinical_cohort", config="custom", data_dir=tmp_path / "data", split=split
        )
        labels = dataset.label_set("label")
        for example in dataset.source:
            assert example["image"].shape == (384, 512, 1)
            names[example["record_id"]] = labels.names(example["labels"]["label"])
    assert names == {
        pseudonym("record", "AF/a.png"): ("AF",),
        pseudonym("record", "AF/b.png"): ("AF",),
        pseudonym("record", "sinus/c.png"): ("sinus",),
        pseudonym("record", "sinus/d.png"): ("sinus",),
    }


def _as_scans(paths):
    return [Scan(path, "scans", path.name, path.name) for path in paths]


def _account(example):
    return json.loads(example["normalisation"])


def test_what_was_done_to_a_scan_is_stored_with_it(built, grid_paper, tmp_path):
    example = _open(built, "test").source[0]
    assert json.loads(example["normalisation"])["scale_reason"] == "no lines of 1 mm and of 5 mm"
    grid_paper(px_per_mm=4).rotate(3, expand=True, fillcolor="white").save(tmp_path / "a.png")
    scans = _as_scans([tmp_path / "a.png"])
    steps = Steps(crop=True, deskew=True, scale=True, flatten=True)
    form = PictureForm(300, 400, 1, steps, px_per_mm=5.0)

    ((_, example),), account = examples_of(scans, form=form)
    done = _account(example)
    assert done["angle_deg"] == pytest.approx(3, abs=0.1)
    assert done["px_per_mm"] == pytest.approx(4, rel=0.01)
    assert example["px_per_mm"] == pytest.approx(4 * done["framed"]["scale"], rel=0.01)
    assert account.counts == {
        "put straight": 1,
        "with px/mm read from the grid": 1,
        "with a grid of another px/mm than stated, which was used": 1,
    }

    ((_, example),), _ = examples_of(scans, form=replace(form, target_px_per_mm=1.5))
    assert example["px_per_mm"] == pytest.approx(1.5)
    assert _account(example)["framed"] == {"scale": 1.0, "cut": 0.0}

    none = Steps(crop=False, deskew=False, scale=False, flatten=False)
    ((_, example),), account = examples_of(scans, form=replace(form, steps=none))
    assert example["px_per_mm"] == pytest.approx(5 * _account(example)["framed"]["scale"])
    assert account.counts == {}


def test_real_scans_are_all_normalised_or_refused(real_data):
    paths = sorted(path for path in (real_data / "scans").iterdir() if path.suffix != ".csv")
    form = PictureForm(384, 512, 1, Steps(crop=True, deskew=True, scale=True, flatten=True))
    examples, account = examples_of(_as_scans(paths), form=form)
    total = account.total()
    assert [record for record, _, _ in total.rejections] == ["LICENSE"]
    assert total.read == len(examples) == len(paths) - 1
    for _, example in examples:
        pixels = np.asarray(Image.open(example["image"]))
        assert pixels.shape == (384, 512)
        # Paper is bright and ink covers little of it.
        assert np.median(pixels) > 128
        assert pixels.std() > 3
        done = _account(example)
        assert (done["px_per_mm"] is None) == (done["scale_reason"] != "")
        assert (done["angle_deg"] is None) == (done["deskew_reason"] != "")
        counted = COUNTED_PX_PER_MM.get(example["record_id"])
        if counted is not None:
            assert done["px_per_mm"] == pytest.approx(counted, rel=0.05)
    assert account.counts["with px/mm read from the grid"] == 31
    # Every photograph, and none of the screen prints, scans and drawings.
    assert account.counts["made flat"] == 15


def test_ink_alone_is_stored_as_the_blank_sheet_of_its_layout(tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    write_key(folder.with_name("cohort.key"))
    page = make_sheet("6x2", height=425, width=550, channels=3)
    signal = np.random.default_rng(0).normal(0, 0.1, (4, 12, 1000)).astype(np.float32)
    for number, pixels in enumerate(np.asarray(make_drawer(page, rate_hz=100.0)(signal))):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "annotations.txt").write_text("".join(f"{n}.png {n % 2}\n" for n in range(4)))
    (folder / "cohort.toml").write_text(
        'key_file = "../cohort.key"\npicture = {height = 96, width = 128}\n'
        'geometry = {layout = "6x2", mm_per_s = 25, mm_per_mv = 10}\nnormalise.ink = true\n'
    )
    builder = Builder(config="custom", data_dir=tmp_path / "data")
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))
    (split, *_) = builder.info.splits
    dataset = open_dataset(
        name="clinical_cohort", config="custom", data_dir=tmp_path / "data", split=split
    )
    sheet = make_sheet("6x2", height=96, width=128, style="blank").as_dict()
    assert dataset.picture == json.loads(json.dumps(sheet | {"origin": "scans"}))
    example = dataset.source[0]
    assert (np.median(example["image"]), example["image"].min()) == (255, 0)
    assert example["px_per_mm"] == pytest.approx(sheet["px_per_mm"])
    done = _account(example)
    # Half a pixel to the small square: lines of 5 mm, near the scale that the layout lets expect.
    assert done["px_per_mm"] is None
    assert done["flat_px_per_mm"] == pytest.approx(page.px_per_mm, rel=0.005)
    assert not done["framed"]["scale_by_layout"]
    assert done["framed"]["likeness"] > 0.2
