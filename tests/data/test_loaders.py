import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import processes
import pytest

from ecgmae_jax.data.loaders import make_eval_loader, make_train_loader
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.data.transforms import RandomShift
from ecgmae_jax.errors import InputError

SHIFT = (RandomShift(max_px=5),)


@pytest.fixture(scope="module")
def train(toy_data_dir):
    return open_dataset(name="toy_ecg", config="sheet", data_dir=toy_data_dir, split="train")


@pytest.fixture
def take(train):
    def _take(steps, *, batch_size=6, seed=3, **options):
        batches = make_train_loader(
            train, batch_size=batch_size, seed=seed, transforms=SHIFT, label="rhythm", **options
        )
        taken = [next(batches) for _ in range(steps)]
        batches.close()
        return taken

    return _take


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])


def test_a_batch_has_the_stated_arrays(take):
    (batch,) = take(1)
    shapes = {key: (value.shape, value.dtype.name) for key, value in batch.items()}
    assert shapes == {
        "image": ((6, 24, 40, 1), "uint8"),
        "label": ((6, 2), "float32"),
        "record_index": ((6,), "int64"),
    }


def test_rows_are_the_records_they_claim_to_be(train):
    batch = next(make_train_loader(train, batch_size=6, seed=0, label="findings"))
    for row, index in enumerate(batch["record_index"]):
        example = train.source[int(index)]
        np.testing.assert_array_equal(batch["image"][row], example["image"])
        expected = train.label_sets["findings"].encode(example["labels"]["findings"])
        np.testing.assert_array_equal(batch["label"][row], expected)


def test_each_record_comes_once_per_epoch_in_a_new_order(take):
    order = np.concatenate([batch["record_index"] for batch in take(23)])
    epochs = order.reshape(6, 23)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(23), (6, 1)))
    assert len({tuple(epoch) for epoch in epochs}) == 6


def test_transforms_differ_between_epochs_and_records(take):
    pictures = {}
    for batch in take(23):
        for index, image in zip(batch["record_index"], batch["image"], strict=True):
            pictures.setdefault(int(index), set()).add(image.tobytes())
    assert min(map(len, pictures.values())) > 1


def test_seed_decides(take):
    assert_same(take(4), take(4))
    (batch,), (other,) = take(1), take(1, seed=4)
    assert (batch["record_index"] != other["record_index"]).any()


@pytest.mark.parametrize("start", [1, 5, 11])
def test_resume_equals_skipping(take, start):
    assert_same(take(12)[start:], take(12 - start, start_step=start))


def test_worker_processes_change_nothing(take):
    assert_same(take(9)[3:], take(6, start_step=3, num_workers=2))


@pytest.mark.parametrize("count", [2, 3])
def test_processes_together_make_the_single_process_batch(take, count):
    parts = [take(8, start_step=2, process_index=i, process_count=count) for i in range(count)]
    joined = [
        {key: np.concatenate([part[key] for part in step]) for key in step[0]}
        for step in zip(*parts, strict=True)
    ]
    assert_same(take(10)[2:], joined)


@pytest.mark.parametrize("process_count", [1, 2])
def test_evaluation_is_in_order_finite_and_masked(train, process_count):
    parts = [
        list(
            make_eval_loader(
                train,
                batch_size=10,
                label="superclass",
                process_index=i,
                process_count=process_count,
            )
        )
        for i in range(process_count)
    ]
    rows = {
        key: np.concatenate([part[key] for step in zip(*parts, strict=True) for part in step])
        for key in parts[0][0]
    }
    assert rows["index"].tolist() == [*range(23), *[-1] * 7]
    assert rows["mask"].tolist() == [1.0] * 23 + [0.0] * 7
    assert rows["image"].shape == (30, 24, 40, 1)
    for i in range(23):
        np.testing.assert_array_equal(rows["image"][i], train.source[i]["image"])
        expected = train.label_sets["superclass"].encode(train.source[i]["labels"]["superclass"])
        np.testing.assert_array_equal(rows["label"][i], expected)


def test_evaluation_of_whole_batches_has_no_fill(toy_data_dir):
    dataset = open_dataset(
        name="toy_ecg", config="sheet", data_dir=toy_data_dir, split="validation"
    )
    batches = list(make_eval_loader(dataset, batch_size=3))
    assert [batch["index"].tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]
    assert all(batch["mask"].all() for batch in batches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 24}, "batch_size 24 is larger than split 'train' .* with its 23 examples"),
        ({"process_count": 4}, "batch_size 6 cannot be shared equally by 4 processes"),
        ({"batch_size": 0}, "batch_size 0 cannot be shared"),
        ({"process_index": 1}, "process_index 1 is not below process_count 1"),
    ],
)
def test_wrong_numbers_are_named(take, options, message):
    with pytest.raises(InputError, match=message):
        take(1, **options)


def test_unknown_label_and_feature_are_named(train):
    with pytest.raises(InputError, match="has no label 'outcome'"):
        make_eval_loader(train, batch_size=2, label="outcome")
    with pytest.raises(InputError, match="has no feature signal"):
        make_eval_loader(train, batch_size=2, keys=("signal",))


def _refuse(example, rng):
    raise InputError("record 0 of shard x cannot be decoded")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_fault_in_a_thread_or_worker_reaches_the_user(train, num_workers):
    batches = make_train_loader(
        train, batch_size=2, seed=0, transforms=(_refuse,), num_workers=num_workers
    )
    with pytest.raises(InputError, match="record 0 of shard x"):
        next(batches)
    batches.close()


def test_workers_go_on_when_the_whole_process_group_is_told_to_stop(train):
    batches = make_train_loader(train, batch_size=6, seed=0, num_workers=1)
    expected = make_train_loader(train, batch_size=6, seed=0)
    taken = [next(batches)]
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGINT)
        os.kill(worker.pid, signal.SIGTERM)
    taken += [next(batches) for _ in range(5)]
    batches.close()
    assert_same(taken, [next(expected) for _ in range(6)])


_KILLED = """
import time
from absl import flags
from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.source import open_dataset
if __name__ == "__main__":
    flags.FLAGS.mark_as_parsed()
    dataset = open_dataset(name="toy_ecg", config="sheet", data_dir={data_dir!r}, split="train")
    batches = make_train_loader(dataset, batch_size=6, seed=0, num_workers=1)
    next(batches)
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_die_with_a_killed_parent(toy_data_dir, tmp_path, repository):
    script = tmp_path / "trainer.py"
    script.write_text(_KILLED.format(data_dir=str(toy_data_dir)))
    environment = os.environ | {"PYTHONPATH": str(repository)}
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    with parent:
        assert parent.stdout.readline() == b"ready\n"
        workers = [pid for pid in processes.session_of(parent.pid) if pid != parent.pid]
        assert workers
        parent.send_signal(signal.SIGKILL)
    processes.wait_for_end_of_session(parent.pid)
