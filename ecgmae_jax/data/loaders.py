"""Batches for training (endless, shuffled, resumable by arithmetic) and evaluation (finite).

A batch of a train loader is a pure function of dataset, seed, batch size and step: no iterator
state is saved, and the number of workers or processes may change between two runs.
"""

import dataclasses
from collections.abc import Callable, Sequence

import grain
import numpy as np

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset, Example, ExampleSource
from ecgmae_jax.data.targets import NumberTarget, target_of
from ecgmae_jax.data.workers import live_with_parent
from ecgmae_jax.errors import InputError

Transform = Callable[[Example, np.random.Generator], Example]

# A thread makes a whole batch, and whole batches wait in the buffer: both numbers cost memory.
_THREADS = 4
_BATCHES_AHEAD = 4
_KEY = "key"


def make_train_loader(
    dataset: Dataset,
    *,
    batch_size: int,
    seed: int,
    transforms: Sequence[Transform] = (),
    keys: Sequence[str] = ("image",),
    label: str | None = None,
    start_step: int = 0,
    num_workers: int = 0,
    process_index: int = 0,
    process_count: int = 1,
) -> grain.DatasetIterator:
    """An endless iterator over the batches of steps `start_step`, `start_step + 1`, ...

    Every record comes once per epoch, in an order new in every epoch; a batch may hold the end of
    one epoch and the start of the next.

    Args:
        dataset: the split to read.
        batch_size: of the whole job; a process gets `batch_size / process_count` rows of it, and
            the rows of all processes, one after the other, are the batch of a single process.
        seed: of the order and of the transforms.
        transforms: applied in turn to each example, with a generator that depends on the seed and
            on the example's position in the endless stream.
        keys: the features that a batch carries; `key` among them stands for a random uint32 of the
            example, by which whoever gets the batch can go on drawing at random.
        label: the task whose encoding (b, k), NaN where unknown, a batch carries as `label`.
        start_step: the step of the first batch; larger to go on where a run stopped.
        num_workers: extra Python processes; with 0, threads of this one do the work.
        process_index: which process of the job this is, `jax.process_index()`.
        process_count: how many there are.

    Returns:
        An iterator of dicts of arrays: the keys, `label` if asked for, and `record_index` (b,),
        the positions of the records in the split. Its `close()` ends the workers.
    """
    rows = _rows_per_process(batch_size, process_index=process_index, process_count=process_count)
    if num_workers < 0:
        raise InputError(f"num_workers is {num_workers}; expected 0 or more worker processes")
    if batch_size > len(dataset):
        raise InputError(
            f"batch_size {batch_size} is larger than split {dataset.split!r} of {dataset.name}/"
            f"{dataset.config} with its {len(dataset)} examples: make the batch smaller"
        )
    read = _reader(dataset, transforms=transforms, keys=keys, label=label)
    batches = (
        grain.MapDataset.range(len(dataset))
        .seed(seed)
        .shuffle()
        .repeat()
        .random_map(read)
        .batch(rows, drop_remainder=True)
    )
    first = start_step * process_count + process_index
    return _iterate(batches[first::process_count], num_workers=num_workers)


def make_eval_loader(
    dataset: Dataset,
    *,
    batch_size: int,
    transforms: Sequence[Transform] = (),
    keys: Sequence[str] = ("image",),
    label: str | None = None,
    num_workers: int = 0,
    process_index: int = 0,
    process_count: int = 1,
) -> grain.DatasetIterator:
    """A finite iterator over the split in its order, every batch of full size.

    Arguments as for `make_train_loader`. All processes get equally many batches.

    Returns:
        An iterator of dicts of arrays: the keys, `label` if asked for, `index` (b,), the
        positions of the records in the split, and `mask` (b,) float32, 1 for a record and 0 for a
        row that only fills the last batch (its `index` is -1, its pixels are the last record's).
    """
    rows = _rows_per_process(batch_size, process_index=process_index, process_count=process_count)
    read = _reader(dataset, transforms=transforms, keys=keys, label=label)
    num_batches = -(-len(dataset) // batch_size)
    batches = (
        grain.MapDataset.range(num_batches * batch_size)
        .seed(0)
        .random_map(_ReadOrFill(read, len(dataset)))
        .batch(rows, drop_remainder=True)
    )
    return _iterate(batches[process_index::process_count], num_workers=num_workers)


@dataclasses.dataclass(frozen=True)
class _Read(grain.transforms.RandomMap):
    """From a record's index to the arrays of one row of a batch."""

    source: ExampleSource
    transforms: tuple[Transform, ...]
    keys: tuple[str, ...]
    target: LabelSet | NumberTarget | None

    def random_map(self, element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        example = self.source[element]
        for transform in self.transforms:
            example = transform(example, rng)
        if _KEY in self.keys:
            example = example | {_KEY: rng.integers(2**32, dtype=np.uint32)}
        row = {key: np.asarray(example[key]) for key in self.keys}
        if self.target is not None:
            row["label"] = self.target.read(example)
        return row | {"record_index": np.asarray(element, np.int64)}


@dataclasses.dataclass(frozen=True)
class _ReadOrFill(grain.transforms.RandomMap):
    """As `_Read`, with `mask`, and masked rows past the end."""

    read: _Read
    num_examples: int

    def random_map(self, element: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        is_record = element < self.num_examples
        row = self.read.random_map(min(element, self.num_examples - 1), rng)
        index = row.pop("record_index") if is_record else np.asarray(-1, np.int64)
        row.pop("record_index", None)
        return row | {"index": index, "mask": np.asarray(is_record, np.float32)}


def _reader(
    dataset: Dataset, *, transforms: Sequence[Transform], keys: Sequence[str], label: str | None
) -> _Read:
    target = None if label is None else target_of(dataset, label)
    needed = (*(key for key in keys if key != _KEY), *([target.feature] if target else []))
    return _Read(dataset.source.only(*needed), tuple(transforms), tuple(keys), target)


def _rows_per_process(batch_size: int, *, process_index: int, process_count: int) -> int:
    if batch_size < 1 or batch_size % process_count:
        raise InputError(
            f"batch_size {batch_size} cannot be shared equally by {process_count} processes: "
            "make it a multiple"
        )
    if not 0 <= process_index < process_count:
        raise InputError(
            f"process_index {process_index} is not below process_count {process_count}"
        )
    return batch_size // process_count


def _iterate(batches: grain.MapDataset, *, num_workers: int) -> grain.DatasetIterator:
    if num_workers == 0:
        options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_BATCHES_AHEAD)
        return iter(batches.to_iter_dataset(options))
    options = grain.ReadOptions(num_threads=1, prefetch_buffer_size=1)
    workers = grain.MultiprocessingOptions(num_workers=num_workers)
    return iter(
        batches.to_iter_dataset(options).mp_prefetch(workers, worker_init_fn=live_with_parent)
    )
