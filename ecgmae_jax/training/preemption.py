"""Being asked to stop: by a scheduler (SIGTERM), from the keyboard (SIGINT), by a lost terminal."""

import contextlib
import os
import signal
import types
from collections.abc import Iterator
from typing import Any

import jax
from jax.experimental import multihost_utils

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(BaseException):
    """Raised in the main thread inside `StopRequest.interrupting`; no library catches it."""


class StopRequest:
    """Notes that the run is asked to stop, for a loop that asks after each step.

    Use it as a context manager around all that must not be cut off. Schedulers may send SIGTERM
    more than once: it is noted once. A second Ctrl-C ends the process there and then. SIGHUP stays
    ignored where it is, under nohup.
    """

    def __init__(self):
        self._noted = False
        self._interrupting = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        # Among several processes JAX itself listens for SIGTERM, to agree on one step for all.
        signals = _SIGNALS[1:] if jax.process_count() > 1 else _SIGNALS
        for number in signals:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def requested(self, step: int) -> bool:
        """Whether to stop after this step; the same answer in every process of a job.

        Call it in every process after every step: that is how they agree.
        """
        if jax.process_count() > 1:
            return multihost_utils.reached_preemption_sync_point(step)
        return self._noted

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Work that is left at once, wherever it stands, such as a long evaluation.

        The processes of a job cannot agree on such a place: among several, it ends first.

        Raises:
            StopRequested: the run is asked to stop, or was before.
        """
        self._interrupting = jax.process_count() == 1
        try:
            if self._interrupting and self._noted:
                raise StopRequested
            yield
        finally:
            self._interrupting = False

    def _note(self, number: int, frame: types.FrameType | None) -> None:
        del frame
        if number == signal.SIGINT and self._noted:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._noted = True
        if jax.process_count() > 1:
            os.kill(os.getpid(), signal.SIGTERM)
        if self._interrupting:
            self._interrupting = False
            raise StopRequested
