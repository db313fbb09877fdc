"""The make_splits program, run as a user runs it, and the builder that reads its file."""

import json
import stat

import processes
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.data.split_files import read_splits
from ecgmae_jax.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve patients, two scans each, a third of them with the outcome."""
    folder = tmp_path_factory.mktemp("above") / "cohort"
    folder.mkdir()
    key = folder.with_name("cohort.key")
    key.write_text("0123456789abcdef" * 3)
    key.chmod(0o600)
    rows = []
    for number in range(24):
        Image.new("L", (64, 48), 200 + number).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{number % 12},{int(number % 3 == 0)}\n")
    (folder / "table.csv").write_text("path,patient_id,outcome\n" + "".join(rows))
    (folder / "cohort.toml").write_text(
        'key_file = "../cohort.key"\npicture = {height = 48, width = 64}\n'
    )
    return folder


@pytest.fixture(scope="module")
def make_splits(folder, zygote):
    def make_splits(variant, workdir, *settings):
        settings = (f"folder={folder}", *settings)
        return zygote.run(processes.arguments(f"make_splits.py:{variant}", workdir, *settings))

    return make_splits


def test_splits_are_made_once_and_the_builder_follows_them(folder, make_splits, tmp_path):
    settings = ("folds=3", "stratify=('outcome',)")
    done = make_splits("kfold", tmp_path / "splits", *settings)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "splits" / "splits.json"
    assert f'in cohort.toml, above its tables: splits_file = "{path}"' in done.stdout
    assert "fold1: 4 patients, 8 scans" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    metrics = json.loads((path.parent / "metrics.json").read_text())
    splits = read_splits(path)
    assert metrics["sha256"] == splits.fingerprint
    assert metrics["parts"]["fold2"]["patients"] == 4

    again = make_splits("random", tmp_path / "splits")
    assert again.returncode == 2
    assert "splits.json is there already, and splits are made once" in again.stderr

    toml = folder / "cohort.toml"
    toml.write_text(f'splits_file = "{path}"\n{toml.read_text()}')
    config = tfds.download.DownloadConfig(manual_dir=folder)
    Builder(data_dir=tmp_path / "data").download_and_prepare(download_config=config)
    for name, members in splits.parts.items():
        built = open_dataset(
            name="clinical_cohort", config="custom", data_dir=tmp_path / "data", split=name
        )
        assert {example["group"] for example in built.source} == set(members)
    (place,) = (tmp_path / "data" / "clinical_cohort" / "custom").glob("*/metadata.json")
    metadata = json.loads(place.read_text())
    assert metadata["splits"]["sha256"] == splits.fingerprint
    assert metadata["splits"]["rounds"][0]["test"] == ["fold1"]

    path.write_text(path.read_text().replace(splits.parts["fold1"][0], "0" * 16))
    with pytest.raises(InputError, match="was altered after it was made"):
        Builder(data_dir=tmp_path / "more").download_and_prepare(download_config=config)


@pytest.mark.parametrize(
    ("variant", "settings", "words"),
    [
        ("site", (), "some scans have no site"),
        ("random", ("shares.train=0.9",), "give shares from 0 to 1 that sum to 1"),
        ("kfold", ("folds=2",), "config.folds is 2; at least 3 are needed"),
    ],
)
def test_a_wrong_setting_leaves_nothing_behind(make_splits, tmp_path, variant, settings, words):
    done = make_splits(variant, tmp_path / "splits", *settings)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "splits").exists()
