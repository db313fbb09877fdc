"""Steps whose loss or gradient was no number: left out one by one, and the end after many."""

import jax
import numpy as np

from ecgmae_jax.errors import NonFiniteLoss
from ecgmae_jax.training.logs import MetricsWriter

# Divergence does not pass; a record gone bad does, with its batch.
MOST_IN_A_ROW = 10


class SkippedSteps:
    """The number of steps of this run that changed nothing but the count of steps."""

    def __init__(self, writer: MetricsWriter):
        self._writer = writer
        self._in_a_row = 0
        self.total = 0

    def see(self, step: int, skipped: jax.Array | None) -> None:
        """Counts the step; `skipped` as a train step gives it, None before the first step.

        Raises:
            NonFiniteLoss: it is the tenth in a row.
        """
        if skipped is None or not np.asarray(skipped):
            self._in_a_row = 0
            return
        self.total += 1
        self._in_a_row += 1
        if self._in_a_row == 1:
            self._writer.say(f"step {step} skipped: its loss or gradient is no number")
        if self._in_a_row == MOST_IN_A_ROW:
            raise NonFiniteLoss(
                f"loss or gradient was no number in {MOST_IN_A_ROW} steps in a row, up to step "
                f"{step}, and they were skipped; lower the peak learning rate, warm up for longer "
                "or look at the input of these steps; the checkpoints saved before are untouched"
            )
