"""Runs of a tiny pre-training that are killed, starved or lied to, beside one that nobody touched.

What is compared is P: every step's loss, to the last bit, and the digest of the records in its
batch. No run may leave a process, a segment of shared memory or a temporary folder behind.
"""

import contextlib
import json
import os
import pathlib

import processes
import pytest
from machine import Machine

from data_builders.simulated_ecg import simulated_ecg_dataset_builder

TOTAL_STEPS = 24


@pytest.fixture(scope="session")
def build_tiny():
    """A function that builds the tiny dataset in a folder, with a seed."""

    def build(data_dir, *, seed=1, name="tiny"):
        config = simulated_ecg_dataset_builder.SimulatedEcgConfig(
            name=name, height=64, width=96, patients_per_condition=7, seed=seed
        )
        builder = simulated_ecg_dataset_builder.Builder(data_dir=data_dir, config=config)
        builder.download_and_prepare()
        return pathlib.Path(builder.data_dir)

    return build


@pytest.fixture(scope="session")
def machine(tmp_path_factory, build_tiny, zygote):
    data_dir = tmp_path_factory.mktemp("tfds")
    build_tiny(data_dir)
    segments = set(os.listdir("/dev/shm"))
    yield Machine(zygote, data_dir)
    zygote.end_all()
    left = abandoned(set(os.listdir("/dev/shm")) - segments)
    assert not left, f"shared memory left behind: {left}"


def abandoned(names):
    """Those segments of shared memory (as Python names them) that no living process holds."""
    held = set()
    for maps in pathlib.Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            held |= {line.rpartition("/dev/shm/")[2] for line in maps.read_text().splitlines()}
    return {name for name in names if name.startswith("psm_")} - held


def _trace(workdir):
    rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    return {row["step"]: (float(row["loss"]).hex(), row["batch"]) for row in rows}


@pytest.fixture(scope="session")
def trace():
    """A function from a workdir to step -> (loss as hexadecimal, digest of the batch)."""
    return _trace


@pytest.fixture(scope="session")
def oracle(machine, tmp_path_factory):
    """Workdir of a run that nothing disturbed."""
    workdir = tmp_path_factory.mktemp("oracle") / "run"
    machine.succeed(machine.pretrain(workdir))
    assert len(_trace(workdir)) == TOTAL_STEPS
    assert len({digest for _, digest in _trace(workdir).values()}) == TOTAL_STEPS
    return workdir


@pytest.fixture
def undisturbed(oracle):
    """A function that fails unless a run is complete, equal to the oracle, and tidy."""

    def check(workdir):
        assert _trace(workdir) == _trace(oracle)
        names = {path.name for path in (workdir / "checkpoints").iterdir()}
        assert str(TOTAL_STEPS) in names
        assert {name for name in names if not name.isdigit() and "damaged" not in name} == set()
        assert not list(workdir.glob(".unfinished*"))

    return check


@pytest.fixture(scope="session")
def after_step():
    """A function that returns once a run has logged a step."""
    return lambda run, workdir, step: processes.wait_for_lines(workdir / "metrics.jsonl", step, run)
