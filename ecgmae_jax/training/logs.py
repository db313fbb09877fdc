"""What a run says of itself: `metrics.jsonl`, TensorBoard events, and a progress line."""

import json
import math
import os
import pathlib
import sys
import time
from collections.abc import Mapping

import jax
import tensorboardX

from ecgmae_jax.errors import NonFiniteLoss
from ecgmae_jax.training.progress import ProgressLine

# The numbers that turn the parameters into nonsense when they are not finite.
_MUST_BE_FINITE = ("loss", "grad_norm")


class MetricsWriter:
    """Writes the metrics of a run, in a multi-process job from the first process alone.

    Use it as a context manager. Started again at step s, it first takes out what was written for
    later steps, which are about to be made once more.
    """

    def __init__(
        self, workdir: pathlib.Path, *, start_step: int, total_steps: int, examples_per_step: int
    ):
        """Opens the files in `workdir`.

        Args:
            workdir: gets `metrics.jsonl` and a TensorBoard event file.
            start_step: updates already made.
            total_steps: updates when the run is complete.
            examples_per_step: of all processes together.
        """
        self._read_step = start_step
        self._examples_per_step = examples_per_step
        self._clock = time.monotonic()
        self._is_first = jax.process_index() == 0
        if self._is_first:
            path = pathlib.Path(workdir) / "metrics.jsonl"
            drop_lines_after(path, step=start_step)
            self._lines = path.open("a")
            self._events = tensorboardX.SummaryWriter(str(workdir), purge_step=start_step + 1)
            self._progress = ProgressLine(total_steps=total_steps, stream=sys.stderr)

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._is_first:
            self._lines.close()
            self._events.close()
            self._progress.close()

    def read(self, step: int, metrics: Mapping[str, jax.Array]) -> dict[str, float]:
        """The metrics of a train step as numbers, once the device has them, and the rate so far.

        Raises:
            NonFiniteLoss: the loss or the norm of its gradient is not finite.
        """
        values = {name: float(value) for name, value in jax.device_get(dict(metrics)).items()}
        for name in _MUST_BE_FINITE:
            if not math.isfinite(values.get(name, 0.0)):
                raise NonFiniteLoss(
                    f"{name} became {values[name]} between steps {self._read_step + 1} and {step}; "
                    "lower the peak learning rate, warm up for longer or look at the input of "
                    "these steps; the checkpoints saved before are untouched"
                )
        seconds = time.monotonic() - self._clock
        examples = (step - self._read_step) * self._examples_per_step
        self._read_step = step
        return values | {"examples_per_second": examples / seconds}

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Records the values under the step: one line, written at once."""
        if self._is_first:
            print(json.dumps({"step": step, **values}), file=self._lines, flush=True)
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
            self._progress.show(step, values)
        self.restart_clock()

    def restart_clock(self) -> None:
        """Leaves the time since the last `read` (evaluation, saving) out of the rate."""
        self._clock = time.monotonic()

    def say(self, message: str) -> None:
        """Prints a line for people, without disturbing the progress line."""
        if self._is_first:
            self._progress.say(message)


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
