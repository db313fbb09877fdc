"""Worker processes that live exactly as long as the process they work for."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading


def live_with_parent(worker_index: int, worker_count: int) -> None:
    """Ends this worker when its parent is gone, even killed, and not before.

    A worker of a killed parent would wait for ever on its queue and keep its shared memory.
    Linux's PR_SET_PDEATHSIG is no help: it watches the thread that started the worker, and Grain
    starts workers from threads that end. Signals that a terminal or a scheduler sends to the whole
    process group are the parent's to answer: it may need batches until its checkpoint is written.
    """
    del worker_index, worker_count
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
