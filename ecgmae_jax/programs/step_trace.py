"""Where the time of a train step goes: a profiler's trace, read by the parts of the step."""

import collections
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping

import jax

# The scopes that the model and the programs name (`jax.named_scope`). What else is differentiated
# is mask, target and loss; what is not is the optimizer.
SCOPES = ("draw", "encoder", "decoder")
PARTS = (*SCOPES, "loss", "optimizer")

_INSTRUCTION = re.compile(r'^\s*(?:ROOT )?%?([\w.-]+) = .*op_name="([^"]*)"', re.MULTILINE)
_HLO_OP = "hlo_op"


def part_of(op_name: str) -> str:
    """The part of the step that an operation belongs to, by its name in the compiled program."""
    for scope in SCOPES:
        if re.search(rf"\b{scope}\b", op_name):
            return scope
    return "loss" if "jvp(" in op_name else "optimizer"


def instruction_parts(compiled_text: str) -> dict[str, str]:
    """Instruction -> part of the step, of a compiled program's text."""
    return {name: part_of(op) for name, op in _INSTRUCTION.findall(compiled_text)}


def part_shares(trace_dir: pathlib.Path, parts: Mapping[str, str]) -> dict[str, float]:
    """The share of each part in the time of all operations that a trace holds.

    An operation counts without those inside it, as a loop is one and its body others; those of
    several threads or devices are added up. Instructions that have no part are `other`.

    Args:
        trace_dir: as given to `jax.profiler.trace`.
        parts: from `instruction_parts`.
    """
    seconds: collections.Counter[str] = collections.Counter()
    for path in trace_dir.rglob("*.xplane.pb"):
        for events in _operations(jax.profiler.ProfileData.from_file(str(path))):
            for name, duration in self_times(events):
                seconds[parts.get(name, "other")] += duration
    total = sum(seconds.values())
    return {part: seconds[part] / total for part in (*PARTS, "other") if seconds[part]}


def self_times(events: Iterable[tuple[str, float, float]]) -> Iterator[tuple[str, float]]:
    """(name, time) of the events (name, start, end) of a thread, without the events inside each."""
    open_events: list[list] = []
    for name, start, end in sorted(events, key=lambda event: (event[1], -event[2])):
        while open_events and open_events[-1][1] <= start:
            yield _closed(open_events.pop())
        if open_events:
            open_events[-1][2] -= end - start
        open_events.append([name, end, end - start])
    while open_events:
        yield _closed(open_events.pop())


def _closed(event: list) -> tuple[str, float]:
    name, _, own = event
    return name, own


def _operations(profile: jax.profiler.ProfileData) -> Iterator[list[tuple[str, float, float]]]:
    """The operations of each thread or stream of a profile."""
    for plane in profile.planes:
        for line in plane.lines:
            found = []
            for event in line.events:
                stats = dict(event.stats)
                if _HLO_OP in stats:
                    start, end = float(event.start_ns), float(event.end_ns)
                    found.append((str(stats[_HLO_OP]), start, end))
            yield found
