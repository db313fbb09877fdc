"""Disks that are full, files that changed, two runs in one folder, folders that cannot be used."""

import os
import shutil
import subprocess

import pytest

from ecgmae_jax.errors import CheckpointNotSaved, DamagedCheckpoints, InputError, InUse
from ecgmae_jax.training import checkpoints, manifests


def flip(step):
    """One bit in the largest file of arrays."""
    files = [path for path in step.glob("**/d/*") if path.is_file()]
    path = max(files, key=lambda file: file.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def finished(oracle, tmp_path):
    """A copy of the undisturbed run."""
    shutil.copytree(oracle, tmp_path / "run")
    return tmp_path / "run"


def test_f5_a_write_that_fails_is_noticed_at_its_step(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path)
    run = machine.run(argv, fault=("full_disk", 8))
    assert run.poll() == CheckpointNotSaved.exit_code
    (line,) = [line for line in run.err.splitlines() if line.startswith("error: ")]
    assert f"error: step 8 could not be saved in {tmp_path}/checkpoints, where " in line
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"4"}
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
def test_f5_a_small_disk_fills_up(machine, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this process may not mount a file system")
    try:
        argv = machine.pretrain(disk / "run")
        run = machine.run(argv)
        assert run.poll() == CheckpointNotSaved.exit_code
        assert "bytes are free and it needs" in run.err
        (newest,) = manifests.saved_steps(disk / "run/checkpoints")[-1:]
        assert manifests.damage(newest) is None
        assert not list(disk.glob("run/checkpoints/*tmp*"))
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        machine.succeed(argv)
        undisturbed(disk / "run")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_f6_a_damaged_step_is_passed_over(machine, undisturbed, oracle, finished):
    flip(finished / "checkpoints/24")
    run = machine.succeed(machine.pretrain(finished))
    assert "24 is damaged: " in run.err and "set aside as damaged-24" in run.err
    assert "continuing from step 20 of 24" in run.err
    undisturbed(finished)
    same = [checkpoints.load_params(folder / "checkpoints") for folder in (oracle, finished)]
    assert same[0].fingerprint == same[1].fingerprint


@pytest.mark.faults
def test_f7_without_a_whole_step_nothing_starts(machine, finished):
    for step in manifests.saved_steps(finished / "checkpoints"):
        flip(step)
    before = (finished / "metrics.jsonl").read_bytes()
    for _ in range(2):
        run = machine.run(machine.pretrain(finished))
        assert run.poll() == DamagedCheckpoints.exit_code
        assert "is whole: damaged-" in run.err.splitlines()[-1]
    assert (finished / "metrics.jsonl").read_bytes() == before


def test_f15_a_second_run_in_the_same_workdir_ends_at_once(
    machine, undisturbed, after_step, tmp_path
):
    argv = machine.pretrain(tmp_path)
    first = machine.start(argv, fault=("slow", 0.1))
    after_step(first, tmp_path, 2)
    config = (tmp_path / "config.json").read_bytes()
    second = machine.run([*argv, "--config.seed=5"])
    assert first.poll() is None
    assert second.poll() == InUse.exit_code
    assert f"{tmp_path} is in use by process {first.pid} on " in second.err
    assert (tmp_path / "config.json").read_bytes() == config
    assert first.wait() == 0
    undisturbed(tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("name", ["with a space", "Größe 心电", "n" * 200])
def test_f16_odd_names_are_only_names(machine, undisturbed, tmp_path, name):
    machine.succeed(machine.pretrain(tmp_path / name))
    undisturbed(tmp_path / name)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("file", "is a file; name a folder"),
        ("file/below", "is a file; name a folder"),
        ("n" * 300, "File name too long"),
        ("read-only", "cannot be made or written: Permission denied"),
    ],
)
def test_f16_a_workdir_that_cannot_be_used_is_refused_before_anything(
    machine, tmp_path, where, reason
):
    (tmp_path / "file").write_text("")
    (tmp_path / "read-only").mkdir(mode=0o555)
    run = machine.run(machine.pretrain(tmp_path / where), fault=("without_privileges",))
    assert run.poll() == InputError.exit_code
    assert reason in run.err.splitlines()[-1]


@pytest.mark.faults
def test_f16_a_read_only_dataset_is_enough(machine, undisturbed, tmp_path):
    shutil.copytree(machine.data_dir, tmp_path / "data")
    for path in (tmp_path / "data").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    argv = machine.pretrain(tmp_path / "run", data_dir=tmp_path / "data")
    machine.succeed(argv, fault=("without_privileges",))
    undisturbed(tmp_path / "run")


@pytest.mark.faults
def test_f22_a_copied_run_goes_on_elsewhere(machine, undisturbed, after_step, tmp_path):
    run = machine.start(machine.pretrain(tmp_path / "here"), fault=("signal_at_step", 9, 15))
    assert run.wait() == 0
    shutil.copytree(machine.data_dir, tmp_path / "moved data")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "here")
    argv = machine.pretrain(tmp_path / "there", data_dir=tmp_path / "moved data")
    assert "continuing from step 10" in machine.succeed(argv).err
    undisturbed(tmp_path / "there")


@pytest.mark.faults
def test_f24_logs_that_cannot_be_written_do_not_matter(machine, oracle, tmp_path):
    run = machine.succeed(machine.pretrain(tmp_path), fault=("full_disk_for_logs", 4))
    assert run.err.count("training goes on without") == 2
    same = [checkpoints.load_params(folder / "checkpoints") for folder in (oracle, tmp_path)]
    assert same[0].fingerprint == same[1].fingerprint
