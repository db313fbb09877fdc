"""Shards that are missing, cut, swapped or of another build; records and losses gone bad."""

import json
import re
import shutil

import pytest

from ecgmae_jax.errors import InputError, NonFiniteLoss
from ecgmae_jax.training import checkpoints


@pytest.fixture
def copied(machine, tmp_path):
    """A copy of the dataset, and its shard of the train split."""
    shutil.copytree(machine.data_dir, tmp_path / "data")
    (shard,) = (tmp_path / "data").glob("simulated_ecg/tiny/*/*-train.*")
    return tmp_path / "data", shard


def truncate(shard):
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])


def zero(shard):
    shard.write_bytes(bytes(shard.stat().st_size))


def swap_ends(shard):
    """Two records of the first chunk change places with bytes of their own length elsewhere."""
    content = bytearray(shard.read_bytes())
    content[200:300] = content[1200:1300]
    shard.write_bytes(content)


DAMAGE = {
    "missing": lambda shard: shard.unlink(),
    "cut": truncate,
    "zeroed": zero,
    "another": lambda shard: shutil.copy(next(shard.parent.glob("*-test.*")), shard),
    "replaced": swap_ends,
}


@pytest.mark.parametrize(
    "kind", ["missing", *(pytest.param(k, marks=pytest.mark.faults) for k in (*DAMAGE,)[1:])]
)
def test_f8_a_shard_that_is_not_the_one_built_is_named(machine, copied, tmp_path, kind):
    data_dir, shard = copied
    DAMAGE[kind](shard)
    run = machine.run(machine.pretrain(tmp_path / "run", data_dir=data_dir))
    assert run.poll() == InputError.exit_code
    assert re.search(rf"shard .*{shard.name} (is|has) ", run.err.splitlines()[-1])
    assert not (tmp_path / "run").exists()


@pytest.mark.faults
def test_f8_an_extra_shard_is_not_read(machine, copied, undisturbed, tmp_path):
    data_dir, shard = copied
    shutil.copy(shard, shard.with_name(shard.name.replace("00000-of-00001", "00001-of-00002")))
    machine.succeed(machine.pretrain(tmp_path / "run", data_dir=data_dir))
    undisturbed(tmp_path / "run")


@pytest.mark.faults
def test_f9_a_run_does_not_go_on_with_another_build_of_the_same_length(
    machine, build_tiny, undisturbed, tmp_path
):
    argv = machine.pretrain(tmp_path / "run")
    machine.succeed(argv, fault=("signal_at_step", 9, 15))
    kept = {path: path.read_bytes() for path in (tmp_path / "run").glob("*.json")}
    build_tiny(tmp_path / "data", seed=2)
    other = machine.run(machine.pretrain(tmp_path / "run", data_dir=tmp_path / "data"))
    assert other.poll() == InputError.exit_code
    assert "holds the checkpoints of a training on simulated_ecg with fingerprint" in other.err
    assert "bring the first dataset back, or start in another workdir" in other.err
    assert {path: path.read_bytes() for path in kept} == kept
    machine.succeed(argv)
    undisturbed(tmp_path / "run")


@pytest.mark.faults
def test_f21_a_run_goes_on_with_a_second_build_of_the_same_data(
    machine, build_tiny, undisturbed, tmp_path
):
    machine.succeed(machine.pretrain(tmp_path / "run"), fault=("signal_at_step", 9, 15))
    folder = build_tiny(tmp_path / "data")
    first = next(machine.data_dir.glob("simulated_ecg/tiny/*"))
    assert (folder / "metadata.json").read_text() == (first / "metadata.json").read_text()
    machine.succeed(machine.pretrain(tmp_path / "run", data_dir=tmp_path / "data"))
    undisturbed(tmp_path / "run")


def test_f10_the_step_of_a_poisoned_record_is_skipped(machine, trace, oracle, tmp_path):
    run = machine.succeed(machine.pretrain(tmp_path), fault=("poisoned_record", 3))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    bad = [index for index, line in enumerate(lines) if '"loss": null' in line]
    # Twenty-four steps of sixteen are five epochs of seventy-five: the record comes five times.
    assert len(bad) == json.loads(lines[-1])["skipped"] == 5
    said = [step for step in bad if step - 1 not in bad]
    assert [f"step {step + 1} skipped: its loss" in run.err for step in bad] == [
        step in said for step in bad
    ]
    assert checkpoints.load_params(tmp_path / "checkpoints").step == 24
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines[: bad[0]]))
    assert trace(tmp_path).items() <= trace(oracle).items()


@pytest.mark.faults
def test_f10_a_run_that_diverges_ends_with_the_last_good_state(machine, undisturbed, tmp_path):
    argv = machine.pretrain(tmp_path, "every.checkpoint=100")
    machine.succeed(argv, fault=("signal_at_step", 7, 15))
    good = checkpoints.load_params(tmp_path / "checkpoints")
    run = machine.run(argv, fault=("poisoned_record", -1))
    assert run.poll() == NonFiniteLoss.exit_code
    assert "no number in 10 steps in a row, up to step 18" in run.err.splitlines()[-1]
    kept = checkpoints.load_params(tmp_path / "checkpoints")
    assert (kept.step, kept.fingerprint) == (8, good.fingerprint)
    machine.succeed(argv)
    undisturbed(tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("workers", [0, 1])
def test_f13_a_record_that_goes_bad_while_the_run_reads_is_named(
    machine, copied, after_step, tmp_path, workers
):
    data_dir, shard = copied
    argv = machine.pretrain(tmp_path / "run", f"loader.workers={workers}", data_dir=data_dir)
    run = machine.start(argv, fault=("slow", 0.1))
    after_step(run, tmp_path / "run", 2)
    size = shard.stat().st_size
    with shard.open("r+b") as file:
        file.seek(64)
        file.write(bytes(size - 70_000))
    assert run.wait() == InputError.exit_code
    assert re.search(rf"^error: record \d+ of shard .*{shard.name} cannot", run.err, re.MULTILINE)
