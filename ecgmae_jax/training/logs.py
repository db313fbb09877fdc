"""What a run says of itself: `metrics.jsonl`, TensorBoard events, and a progress line."""

import contextlib
import functools
import json
import math
import os
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

import jax
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar

from ecgmae_jax.training.progress import ProgressLine


class MetricsWriter:
    """Writes the metrics of a run, in a multi-process job from the first process alone.

    Use it as a context manager. Started again at step s, it first takes out what was written for
    later steps, which are about to be made once more. A file that cannot be written (any more) is
    given up with a line on stderr: training goes on.
    """

    def __init__(
        self,
        workdir: pathlib.Path,
        *,
        start_step: int,
        total_steps: int,
        examples_per_step: int,
        peak_examples_per_second: float,
    ):
        """Opens the files in `workdir`.

        Args:
            workdir: gets `metrics.jsonl` and a TensorBoard event file.
            start_step: updates already made.
            total_steps: updates when the run is complete.
            examples_per_step: of all processes together.
            peak_examples_per_second: at which the devices would do nothing but the model's own
                products; `model_flop_utilisation` is the share of it that is reached.
        """
        self._read_step = start_step
        self._examples_per_step = examples_per_step
        self._peak = peak_examples_per_second
        self._waited = 0.0
        self._clock = time.monotonic()
        self._is_first = jax.process_index() == 0
        if self._is_first:
            self._progress = ProgressLine(total_steps=total_steps, stream=sys.stderr)
            self._files: dict[str, Callable[[int, Mapping[str, float], str], None]] = {}
            self._open_files = contextlib.ExitStack()
            self._open(workdir, start_step)

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._is_first:
            with contextlib.suppress(OSError):
                self._open_files.close()
            self._progress.close()

    def read(self, step: int, metrics: Mapping[str, jax.Array]) -> dict[str, float]:
        """The metrics of a train step as numbers, once the device has them, and the pace so far.

        The pace is `examples_per_second`, `step_seconds`, of which `input_wait_seconds` went by
        waiting for a batch, and `model_flop_utilisation`.
        """
        values = {name: float(value) for name, value in jax.device_get(dict(metrics)).items()}
        seconds = time.monotonic() - self._clock
        steps = step - self._read_step
        rate = steps * self._examples_per_step / seconds
        waited, self._waited, self._read_step = self._waited, 0.0, step
        return values | {
            "examples_per_second": rate,
            "step_seconds": seconds / steps,
            "input_wait_seconds": waited / steps,
            "model_flop_utilisation": rate / self._peak,
        }

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts the time inside as waiting for input."""
        start = time.monotonic()
        yield
        self._waited += time.monotonic() - start

    def write(self, step: int, values: Mapping[str, float], *, batch: str = "") -> None:
        """Records the values under the step: one line, written at once.

        Args:
            batch: tells what the step was made on (`batch_digest`); goes into `metrics.jsonl`.
        """
        if self._is_first:
            for name in list(self._files):
                with self._given_up(name):
                    self._files[name](step, values, batch)
            self._progress.show(step, values)
        self.restart_clock()

    def restart_clock(self) -> None:
        """Leaves the time since the last `read` (evaluation, saving) out of the rate."""
        self._clock = time.monotonic()

    def say(self, message: str) -> None:
        """Prints a line for people, without disturbing the progress line."""
        if self._is_first:
            self._progress.say(message)

    def _open(self, workdir: pathlib.Path, start_step: int) -> None:
        path = pathlib.Path(workdir) / "metrics.jsonl"
        with self._given_up("metrics.jsonl"):
            drop_lines_after(path, step=start_step)
            lines = self._open_files.enter_context(path.open("a"))
            self._files["metrics.jsonl"] = functools.partial(_write_line, lines)
        with self._given_up("TensorBoard's events"):
            # Not its SummaryWriter: when that cannot write, its queue fills up and blocks for ever.
            events = EventsWriter(str(pathlib.Path(workdir) / "events"))
            self._open_files.callback(events.close)
            restart = SessionLog(status=SessionLog.START)
            events.write_event(Event(step=start_step + 1, session_log=restart))
            self._files["TensorBoard's events"] = functools.partial(_write_events, events)

    @contextlib.contextmanager
    def _given_up(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            self._files.pop(name, None)
            self.say(f"{name} cannot be written ({fault.strerror}); training goes on without")


def _write_line(file: TextIO, step: int, values: Mapping[str, float], batch: str) -> None:
    row = {name: value if math.isfinite(value) else None for name, value in values.items()}
    end = {"batch": batch} if batch else {}
    print(json.dumps({"step": step, **row, **end}), file=file, flush=True)


def _write_events(events: EventsWriter, step: int, values: Mapping[str, float], batch: str) -> None:
    del batch
    for name, value in values.items():
        events.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
    events.flush()


def drop_lines_after(path: pathlib.Path, *, step: int) -> None:
    """Takes the lines of later steps, and a last line cut short, out of a file of metrics.

    The file is replaced whole: an interruption leaves the old one or the new one.
    """
    if not path.exists():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(f"{line}\n")
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text("".join(kept))
    os.replace(temporary, path)
