"""Builds that meet what they should not: a counted refusal or one line, and nothing left behind."""

import csv
import dataclasses
import os
import subprocess
import sys

import pytest
import tensorflow_datasets as tfds

from data_builders import parallel
from data_builders.ecg_config import EcgConfig
from data_builders.ptb_xl.ptb_xl_dataset_builder import Builder as PtbXl
from data_builders.simulated_ecg.simulated_ecg_dataset_builder import Builder as Simulated
from data_builders.simulated_ecg.simulated_ecg_dataset_builder import SimulatedEcgConfig
from ecgmae_jax.errors import Fault, InputError, InUse


def read(folder):
    return list(tfds.builder_from_directory(folder).as_data_source(split="train"))


def test_a_refused_record_is_listed_and_the_others_are_built(build, entries):
    folder = build(*entries(5))
    assert {example["record_id"] for example in read(folder)} == {b"r0", b"r1", b"r3", b"r4"}
    with (folder / "rejections.csv").open(newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["truncated"]


def test_a_fault_that_nobody_foresaw_leaves_nothing(build, entries, watched, monkeypatch):
    def failing(*args, **options):
        raise ZeroDivisionError("a record that nobody foresaw")

    monkeypatch.setattr("data_builders.examples.cut_segments", failing)
    with pytest.raises(ZeroDivisionError, match="nobody foresaw"):
        build(*entries(1))
    assert not list((watched / "data").rglob("*.array_record*"))


def test_two_recordings_of_one_name_are_named(build, entries, watched):
    first, second = entries(2)
    twin = dataclasses.replace(second, record_id=first.record_id)
    with pytest.raises(InputError, match=r"two examples of recordings are called 'here/r0/00000'"):
        build(first, twin)
    assert not list((watched / "data").rglob("*.array_record*"))


def test_names_of_records_lead_nowhere(build, entries, watched):
    (entry,) = entries(1)
    names = ("../../neighbour/file", "/tmp/r", "a\nb", "=1+1", "é" * 300)
    odd = [dataclasses.replace(entry, record_id=name, source=name) for name in names]
    examples = read(build(*odd))
    assert {example["record_id"].decode() for example in examples} == set(names)


HOLD = """
import pathlib, sys
from ecgmae_jax import locks
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
locks.acquire(folder / ".building")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_build_ends_before_it_reads_anything(build, watched, repository):
    folder = watched / "data" / "recordings" / "signal"
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=repository, **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InUse, match=rf"is in use by process {holder.pid} on "):
            # Not an entry: it would fail where it is read.
            build(None)
        holder.communicate("")
    (folder / ".building").unlink()


@pytest.mark.parametrize("kind", ["is a file", "is below a file"])
def test_a_data_dir_that_cannot_be_made_is_one_line(watched, recordings, kind):
    (watched / "data").write_text("no folder")
    data_dir = watched / "data" if kind == "is a file" else watched / "data" / "below"
    with pytest.raises(InputError, match=r"cannot be made: .*; name another --data_dir"):
        recordings(data_dir=data_dir).download_and_prepare()
    assert (watched / "data").read_text() == "no folder"


@pytest.mark.parametrize("kind", ["a file", "an empty folder", "absent"])
def test_a_manual_dir_that_is_none_is_one_line(watched, kind):
    given = watched / "given"
    if kind == "a file":
        given.write_text("")
    elif kind == "an empty folder":
        given.mkdir()
    config = tfds.download.DownloadConfig(manual_dir=given)
    words = "a file; name the folder" if kind == "a file" else "does not exist or is empty"
    with pytest.raises(InputError, match=words) as caught:
        PtbXl(data_dir=watched / "data").download_and_prepare(download_config=config)
    assert str(caught.value).isprintable()
    assert not list((watched / "data").rglob("*.array_record*"))


def test_a_worker_that_is_killed_ends_the_build_in_one_line():
    with parallel.process_pool() as pool:
        results = parallel.in_order(os._exit, [9], pool=pool)
        with pytest.raises(Fault, match="a worker process of the build ended before its work"):
            list(results)


CONFIGS = {
    "a form that is none": ({"form": "picture"}, "form='picture', expected one of"),
    "a renderer that is none": ({"renderer": "agg"}, "renderer='agg', expected one of"),
    "a scan that is none": ({"scan": "fax"}, "scan='fax', expected one of"),
    "a text for a size": ({"height": "384"}, "height='384', expected int"),
    "a number for a text": ({"layout": 3}, "layout=3, expected str"),
    "minus one random sheet": ({"random_sheets": -1}, "random_sheets=-1"),
    "a seed below zero": ({"drawing_seed": -1}, "drawing_seed=-1"),
    "a layout that is none": ({"layout": "5x5"}, "no layout '5x5'"),
    "a style that is none": ({"style": "purple"}, "no paper 'purple'"),
    "a page that is none": ({"page": "a3"}, "no paper 'a3'"),
    "a picture of one pixel": ({"height": 1}, "1"),
    "two channels": ({"channels": 2}, "channels"),
    "paper that stands still": ({"mm_per_s": 0.0}, "mm_per_s"),
    "a gain that is no number": ({"mm_per_mv": float("nan")}, "mm_per_mv"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_cannot_be_drawn_is_one_line(case):
    settings, words = CONFIGS[case]
    with pytest.raises(InputError) as caught:
        EcgConfig(name="mine", **settings).sheet()
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("number", [0, -3, 5])
def test_too_few_simulated_patients_are_refused(watched, number):
    config = SimulatedEcgConfig(name="tiny", patients_per_condition=number)
    with pytest.raises(InputError, match=f"patients_per_condition={number} leaves a split"):
        Simulated(data_dir=watched / "data", config=config).download_and_prepare()
    assert not list((watched / "data").rglob("*.array_record*"))
