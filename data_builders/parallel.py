"""Runs one function over chunks of work: on the cores of this machine, or on Apache Beam."""

import collections
import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from data_builders.account import Account, to_json
from ecgmae_jax.errors import Fault

ENTRIES_PER_CHUNK = 16

Chunk = Sequence[Any]
MakeExamples = Callable[[Chunk], tuple[list[tuple[str, dict[str, Any]]], Account]]


def num_cores() -> int:
    """Cores that this process may use (`taskset` and containers lower it)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunks_of(entries: Sequence[Any]) -> list[Chunk]:
    """The entries in order, ENTRIES_PER_CHUNK at a time."""
    starts = range(0, len(entries), ENTRIES_PER_CHUNK)
    return [entries[start : start + ENTRIES_PER_CHUNK] for start in starts]


@contextlib.contextmanager
def process_pool() -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """One process for each core; what they have not begun is dropped at the end."""
    pool = concurrent.futures.ProcessPoolExecutor(
        num_cores(),
        # JAX and TensorFlow run threads, which do not survive a fork.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    function: Callable[[Chunk], Any],
    chunks: Iterable[Chunk],
    *,
    pool: concurrent.futures.ProcessPoolExecutor,
) -> Iterator[Any]:
    """`function(chunk)` for every chunk, in order; the pool works a few chunks ahead.

    Raises:
        Fault: a process of the pool is gone.
    """
    ahead = 2 * num_cores()
    waiting: collections.deque[concurrent.futures.Future] = collections.deque()
    chunks = iter(chunks)
    while True:
        for chunk in itertools.islice(chunks, ahead - len(waiting)):
            with _main_module_hidden():
                waiting.append(pool.submit(function, chunk))
        if not waiting:
            return
        try:
            yield waiting.popleft().result()
        except concurrent.futures.process.BrokenProcessPool as fault:
            raise Fault(
                "a worker process of the build ended before its work was done: it was killed, or "
                "the memory was not enough; see to that and build again, on fewer cores (taskset) "
                "to take less memory"
            ) from fault


def beam_examples(function: MakeExamples, chunks: Sequence[Chunk], *, account_path: Any):
    """A Beam transform that yields all examples and writes the sum of their accounts to a file."""
    import apache_beam as beam
    from apache_beam import pvalue

    class Draw(beam.DoFn):
        def setup(self):
            _use_cpu()

        def process(self, element):
            examples, account = function(element)
            yield from examples
            yield pvalue.TaggedOutput("account", account)

    @beam.ptransform_fn
    def transform(pipeline):
        outputs = (
            pipeline
            | "Chunks" >> beam.Create(chunks)
            | "Spread" >> beam.Reshuffle()
            | "Draw" >> beam.ParDo(Draw()).with_outputs("account", main="examples")
        )
        _ = (
            outputs.account
            | "AddAccounts" >> beam.CombineGlobally(lambda accounts: sum(accounts, Account()))
            | "WriteAccount" >> beam.Map(lambda account: account_path.write_text(to_json(account)))
        )
        return outputs.examples

    return transform()


def _start_worker() -> None:
    _use_cpu()
    os.environ["XLA_FLAGS"] = (
        f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
        " --xla_force_host_platform_device_count=1"
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _use_cpu() -> None:
    """Pictures are the same on every machine, and an accelerator is left to others."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_platforms", "cpu")


def _die_with_parent() -> None:
    """A killed build would otherwise leave its workers waiting for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """A process spawned inside does not run the main script: `tfds` imports TensorFlow, 10 s."""
    main = sys.modules["__main__"]
    path = main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        if path is not None:
            main.__file__ = path
