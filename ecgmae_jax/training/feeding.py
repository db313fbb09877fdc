"""The batches on their way from the loader to the devices."""

import collections
import faulthandler
import hashlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from ecgmae_jax.errors import INPUT_STALLED
from ecgmae_jax.training.sharding import place_batch

# Longer than any file system of a cluster was seen to pause.
STALL_S = 600.0


def placed(
    batches: Iterator[Mapping[str, np.ndarray]], mesh: Mesh
) -> Iterator[dict[str, jax.Array]]:
    """The batches on the devices, each sent off one step before it is needed."""
    waiting = collections.deque()
    for batch in batches:
        waiting.append(place_batch(batch, mesh))
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def watched(batches: Iterable[Any], *, stall_s: float = STALL_S) -> Iterator[Any]:
    """The same batches; a wait of more than `stall_s` seconds for one ends the process.

    A worker that hangs, or a file system that does, would otherwise hold a machine until somebody
    looks. Every thread's stack goes to stderr first; worker processes are killed.
    """
    waiting = iter(batches)
    while True:
        alarm = threading.Timer(stall_s, _give_up, (stall_s,))
        alarm.daemon = True
        alarm.start()
        try:
            batch = next(waiting, None)
        finally:
            alarm.cancel()
        if batch is None:
            return
        yield batch


def batch_digest(batch: Mapping[str, np.ndarray]) -> str:
    """Eight hex digits that tell which records a batch of this process holds, in which order."""
    records = np.asarray(batch.get("record_index", ()), np.int64)
    return hashlib.sha256(records.tobytes()).hexdigest()[:8]


def _give_up(stall_s: float) -> None:
    print(
        f"error: no batch came for {stall_s:g} s; the input hangs (a worker process, the file "
        "system of the data?); the stacks follow, checkpoints are untouched: start again",
        file=sys.stderr,
    )
    faulthandler.dump_traceback(all_threads=True)
    # A stopped worker does not see that this process ends.
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(INPUT_STALLED)
