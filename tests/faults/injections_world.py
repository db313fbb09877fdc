"""Faults of the world a run lives in: disks, rights, clocks, data, patience.

As in `injections.py`, a function of the package or of a library gives way to one that lies.
"""

import ctypes
import itertools
import resource
import signal
import socket
import sys
import time

import jax.numpy as jnp

from ecgmae_jax.programs import training_run
from ecgmae_jax.training import checkpointer, feeding, logs, loop

at_step = sys.modules["injections"].at_step


def without_privileges():
    """Even the superuser may write only where its own permissions say so (capset, Linux)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")


def reach_out():
    """To an address for documents (RFC 5737), which nobody has."""
    socket.create_connection(("192.0.2.1", 80))


def full_disk(step):
    """When this step is saved, and from then on, no file may grow beyond 100 kB."""
    save = checkpointer.Checkpointer.save

    def saved(self, state, *, metrics):
        if int(state.step) == step:
            self.wait()
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))
        save(self, state, metrics=metrics)

    checkpointer.Checkpointer.save = saved


def poisoned_record(index):
    """The loss is no number whenever the record is in the batch; -1 for every batch."""
    make_train_step = training_run.make_train_step

    def made(loss_fn, optimizer, **options):
        def poisoned(params, batch, key):
            loss, metrics = loss_fn(params, batch, key)
            bad = jnp.any(batch["record_index"] == index) | (index < 0)
            return loss + jnp.where(bad, jnp.nan, 0.0), metrics

        return make_train_step(poisoned, optimizer, **options)

    training_run.make_train_step = made


def clock_shifted(days):
    real = time.time
    time.time = lambda: real() + days * 86_400


def clock_then_stop(days, step):
    clock_shifted(days)
    sys.modules["injections"].signal_at_step(step, signal.SIGTERM)


def clock_jumps(step, days):
    at_step(step, lambda: clock_shifted(days))


def impatient_and_slow(seconds, step_seconds):
    """Steps take longer than they need; after eight the watchdog waits no more than `seconds`."""
    sys.modules["injections"].slow(step_seconds)
    watched = feeding.watched

    def impatient(batches, *, stall_s):
        waiting = iter(batches)
        yield from itertools.islice(waiting, 8)
        yield from watched(waiting, stall_s=min(seconds, stall_s))

    loop.watched = impatient


def full_disk_for_logs(step):
    """The files of metrics cannot be written after this step; checkpoints can."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    def plant():
        logs._write_line.__globals__["print"] = full
        logs.EventsWriter.write_event = full

    at_step(step, plant)
