"""Whole builds: from a folder of records to shards that are read without TensorFlow."""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from apache_beam.options.pipeline_options import PipelineOptions
from PIL import Image

from data_builders.account import Account
from data_builders.contents import Form
from data_builders.ecg_config import EcgConfig
from data_builders.examples import examples_of
from data_builders.ptb_xl.ptb_xl_dataset_builder import Builder as PtbXl
from data_builders.ptb_xl.records import entries_by_split
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.named_sheets import make_sheet

TINY = {"height": 48, "width": 64}
BEAM = PipelineOptions(["--runner=DirectRunner", "--direct_running_mode=in_memory"])


def _build(builder_cls, config, *, manual_dir: pathlib.Path, data_dir: pathlib.Path, **options):
    builder = builder_cls(config=config, data_dir=data_dir)
    download_config = tfds.download.DownloadConfig(manual_dir=manual_dir, **options)
    builder.download_and_prepare(download_config=download_config)
    return pathlib.Path(builder.data_dir)


def _read(folder: pathlib.Path, split: str) -> list[dict]:
    return list(tfds.builder_from_directory(folder).as_data_source(split=split))


@pytest.fixture(scope="module")
def sheets(ptb_xl_folder, tmp_path_factory) -> pathlib.Path:
    """PTB-XL's records as tiny sheets, drawn by a pool of processes."""
    data_dir = tmp_path_factory.mktemp("sheets")
    config = EcgConfig(name="tiny", **TINY)
    return _build(PtbXl, config, manual_dir=ptb_xl_folder, data_dir=data_dir)


def test_splits_follow_the_folds_and_leave_empty_ones_out(sheets):
    builder = tfds.builder_from_directory(sheets)
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 3,
        "validation": 1,
    }
    assert builder.info.file_format is tfds.core.FileFormat.ARRAY_RECORD


def test_examples_have_the_shared_features(sheets):
    examples = {example["record_id"].decode(): example for example in _read(sheets, "train")}
    example = examples["00002"]
    assert example["image"].shape == (48, 64, 1)
    assert example["patient_id"] == b"12"
    assert example["source"] == b"ptb-xl"
    assert (example["age_years"], example["sex"]) == (90.0, b"male")
    assert (example["strat_fold"], example["segment"], example["start_s"]) == (8, 0, 0.0)
    assert example["group"] == examples["00003"]["group"] != examples["00001"]["group"]
    names = tfds.builder_from_directory(sheets).info.features["labels"]["superclass"].feature.names
    assert [names[index] for index in example["labels"]["superclass"]] == ["HYP", "MI"]


def test_refused_records_are_listed_beside_the_shards(sheets):
    with (sheets / "rejections.csv").open(newline="") as file:
        rows = {row["record"]: row["code"] for row in csv.DictReader(file)}
    assert rows == {"00005_lr": "truncated", "00006": "no-file", "7": "bad-row"}


def test_metadata_states_geometry_and_counts(sheets):
    metadata = json.loads((sheets / "metadata.json").read_text())
    sheet = json.loads(json.dumps(make_sheet(**TINY).as_dict()))
    assert metadata["picture"] == {**sheet, "renderer": "jax"}
    assert metadata["tally"] == {
        "read": 4,
        "pictures": 4,
        "refused": {"bad-row": 1, "no-file": 1, "truncated": 1},
    }
    assert metadata["counts"] == {"at 100 Hz": 3, "at 500 Hz": 1}
    assert "superclass" in metadata["unlabelled_means_missing"]


def test_the_pool_draws_what_one_process_draws(sheets, ptb_xl_folder):
    entries = entries_by_split(ptb_xl_folder, Account())["train"]
    drawn, _ = examples_of(entries, form=Form((make_sheet(**TINY),)))
    pictures = {
        example["record_id"]: np.asarray(Image.open(example["image"])) for _, example in drawn
    }
    for example in _read(sheets, "train"):
        picture = example["image"][..., 0]
        np.testing.assert_array_equal(picture, pictures[example["record_id"].decode()])


def test_signal_config_has_the_same_examples(sheets, ptb_xl_folder, tmp_path):
    folder = _build(PtbXl, "signal", manual_dir=ptb_xl_folder, data_dir=tmp_path)
    for split in ("train", "validation"):
        for sheet, signal in zip(_read(sheets, split), _read(folder, split), strict=True):
            assert signal["signal"].shape == (12, 5000)
            assert signal["signal"].dtype == np.int16
            del sheet["image"], sheet["ink_outside"], signal["signal"]
            np.testing.assert_equal(signal, sheet)
    picture = json.loads((folder / "metadata.json").read_text())["picture"]
    assert picture["signal"]["uv_per_lsb"] == 1.0
    assert picture["signal"]["rate_hz"] == 500.0


def test_beam_builds_the_same_dataset(sheets, ptb_xl_folder, tmp_path):
    folder = _build(
        PtbXl,
        EcgConfig(name="tiny", **TINY),
        manual_dir=ptb_xl_folder,
        data_dir=tmp_path,
        beam_options=BEAM,
    )
    for split in ("train", "validation"):
        np.testing.assert_equal(_read(folder, split), _read(sheets, split))
    for name in ("metadata.json", "rejections.csv"):
        assert (folder / name).read_text() == (sheets / name).read_text()
    assert not list(folder.glob("*.account.json"))


@pytest.mark.slow
def test_beam_builds_over_processes_of_its_own(ptb_xl_folder, tmp_path, repository):
    folders = [_build(PtbXl, "signal", manual_dir=ptb_xl_folder, data_dir=tmp_path / "one")]
    command = [pathlib.Path(sys.executable).with_name("tfds"), "build", "data_builders/ptb_xl"]
    command += ["--config=signal", f"--manual_dir={ptb_xl_folder}", f"--data_dir={tmp_path}"]
    direct = "runner=DirectRunner,direct_running_mode=multi_processing,direct_num_workers=2"
    run = subprocess.run(
        [*command, f"--beam_pipeline_options={direct}"],
        capture_output=True,
        text=True,
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        timeout=500,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    folders.append(tmp_path / "ptb_xl" / "signal" / folders[0].name)
    for split in ("train", "validation"):
        np.testing.assert_equal(*(_read(folder, split) for folder in folders))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"nothing to build ptb_xl from: read 0 .* truncated 5"),
        ({"beam_options": BEAM}, r"every record of it was refused: build without --beam"),
    ],
)
def test_nothing_is_left_when_every_record_is_refused(options, message, ptb_xl_folder, tmp_path):
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "ptb-xl")
    for samples in folder.rglob("*.dat"):
        samples.write_bytes(b"")
    with pytest.raises(InputError, match=message):
        _build(PtbXl, "signal", manual_dir=folder, data_dir=tmp_path / "out", **options)
    assert not list((tmp_path / "out").glob("ptb_xl/signal/*"))


def test_other_groups_of_statements_are_refused(ptb_xl_folder, tmp_path):
    folder = shutil.copytree(ptb_xl_folder, tmp_path / "ptb-xl")
    table = folder / "scp_statements.csv"
    table.write_text(table.read_text().replace("STTC", "ST"))
    with pytest.raises(InputError, match=r"groups the statements in another way"):
        _build(PtbXl, "signal", manual_dir=folder, data_dir=tmp_path / "out")


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere does not exist or is empty\. .*ptb-xl"):
        _build(PtbXl, "sheet", manual_dir=tmp_path / "nowhere", data_dir=tmp_path / "out")


def test_tfds_build_makes_the_default_config_alone(challenge_folder, tmp_path, repository):
    command = [pathlib.Path(sys.executable).with_name("tfds"), "build"]
    command += ["data_builders/physionet2021", f"--manual_dir={challenge_folder}"]
    run = subprocess.run(
        [*command, f"--data_dir={tmp_path}"],
        capture_output=True,
        text=True,
        cwd=repository,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    folder = tmp_path / "physionet2021"
    assert sorted(path.name for path in folder.iterdir()) == [".config", "sheet"]
    assert "read 4 recordings, cut into 6 pictures; refused 1: bad-header 1" in run.stdout
    assert "georgia: read 3 recordings" in run.stdout
    assert "no records of chapman_shaoxing, " in run.stdout
    assert "1 with the unlisted diagnosis 999999999" in run.stdout
    examples = _read(folder / "sheet" / "1.0.0", "train")
    assert len(examples) == 5
    assert examples[0]["image"].shape == (384, 512, 1)
