"""The line on the terminal that says how far a run is."""

import io
import os
import time
from collections.abc import Mapping
from typing import TextIO


class ProgressLine:
    """Step, loss, rate and time left; one line that moves on a terminal, a line each elsewhere."""

    def __init__(self, *, total_steps: int, stream: TextIO | io.TextIOBase):
        """Begins at whatever step is shown first."""
        self._total_steps = total_steps
        self._stream = stream
        self._moves = stream.isatty()
        self._width = 0
        self._first: tuple[int, float] | None = None

    def show(self, step: int, values: Mapping[str, float]) -> None:
        """Shows the state of the run at `step`; `values` as from `MetricsWriter.read`."""
        parts = [f"step {step}/{self._total_steps}"]
        if "loss" in values:
            parts.append(f"loss {values['loss']:.4f}")
        if "examples_per_second" in values:
            parts.append(f"{values['examples_per_second']:.1f} examples/s")
        now = time.monotonic()
        if self._first is None:
            # What came before held the compilation, which says nothing about the time left.
            self._first = (step, now)
        else:
            first_step, first_time = self._first
            left = (self._total_steps - step) * (now - first_time) / (step - first_step)
            parts.append(f"{duration(left)} left")
        self._print("  ".join(parts), moves=self._moves)

    def say(self, message: str) -> None:
        """Prints a line that stays."""
        self._print(message, moves=False)

    def close(self) -> None:
        """Leaves the last line standing."""
        if self._moves and self._width:
            self._write("\n")

    def _print(self, text: str, *, moves: bool) -> None:
        start = "\r" if self._moves else ""
        self._write(f"{start}{text.ljust(self._width)}{'' if moves else chr(10)}")
        self._width = len(text) if moves else 0

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # The terminal is gone, or the other end of the pipe; the run is not.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def duration(seconds: float) -> str:
    """A time for people: `42 s`, `3 min 5 s`, `2 h 7 min`, `4 d 2 h`."""
    whole = round(seconds)
    for unit, size, lower, lower_size in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // lower_size} {lower}"
    return f"{whole} s"
