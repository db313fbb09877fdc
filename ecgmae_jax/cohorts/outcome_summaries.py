"""What the scans of a cohort hold of each outcome, in remarks of one line."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecgmae_jax.cohorts.outcomes import Outcome

_MOST_TOLD = 10


def tell(name: str, outcome: Outcome, values: Sequence[Any]) -> list[str]:
    """How often each class or how large the numbers are, and how often nothing is known.

    Args:
        values: of `Outcome.encode`, one for each scan.
    """
    if outcome.is_number:
        return [f"outcome {name}: {_of_numbers(outcome, values)}"]
    present = [value if isinstance(value, list) else [value] * (value >= 0) for value in values]
    counts = collections.Counter(index for indices in present for index in indices)
    missing = sum(not indices for indices in present)
    parts = [f"{outcome.classes[index]} {count}" for index, count in counts.most_common(_MOST_TOLD)]
    more = f" and {len(counts) - _MOST_TOLD} more classes" if len(counts) > _MOST_TOLD else ""
    remarks = [f"outcome {name}: {', '.join(parts) or 'none'}{more}; missing {missing}"]
    if len(counts) < 2 and not outcome.several:
        remarks.append(f"outcome {name} has fewer than two classes: nothing can be learned from it")
    return remarks


def _of_numbers(outcome: Outcome, values: Sequence[Mapping[str, float]]) -> str:
    numbers = np.array([next(iter(value.values())) for value in values])
    known = numbers[~np.isnan(numbers)]
    missing = f"missing {len(numbers) - len(known)}"
    if not len(known):
        return f"none; {missing}"
    unit = f" {outcome.unit}" if outcome.unit else ""
    spread = f"{known.min():g} to {known.max():g}{unit}, median {np.median(known):g}"
    if outcome.type == "continuous":
        return f"{spread}; {missing}"
    events = sum(value["event"] == 1 for value in values)
    return f"{events} events in {len(known)} times of {spread}; {missing}"
