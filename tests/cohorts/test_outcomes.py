import math

import pytest

from ecgmae_jax.cohorts.outcome_summaries import tell
from ecgmae_jax.cohorts.outcomes import Outcome, complete, event_key
from ecgmae_jax.errors import InputError

MISSING = ("", "NA")


def _complete(outcome, *cells):
    columns = ("x", event_key("x"))
    rows = [
        (dict(zip(columns, (cell,) if isinstance(cell, str) else cell, strict=False)), f"line {i}")
        for i, cell in enumerate(cells, start=2)
    ]
    found = complete("x", outcome, rows, missing=MISSING)
    return found, [found.encode("x", cells, MISSING) for cells, _ in rows]


def test_classes_are_indices():
    outcome, values = _complete(Outcome("x"), "b", "", "a", "NA")
    assert (outcome.classes, values) == (("a", "b"), [1, -1, 0, -1])
    _, values = _complete(Outcome("x", "binary", ("no", "yes")), "1", "no")
    assert values == [1, 0]
    _, values = _complete(Outcome("x", "multi-label"), "b, a", "", "a,a")
    assert values == [[0, 1], [], [0]]


def test_numbers_keep_their_value():
    _, values = _complete(Outcome("x", "continuous"), "55", "5,5", "-1e2", "NA")
    assert [value["value"] for value in values[:3]] == [55.0, 5.5, -100.0]
    assert math.isnan(values[3]["value"])


def test_times_come_with_their_event():
    _, values = _complete(
        Outcome("x", "time-to-event", event="e"), ("2.5", "1"), ("3", "No"), ("", "")
    )
    assert values[:2] == [{"time": 2.5, "event": 1.0}, {"time": 3.0, "event": 0.0}]
    assert all(math.isnan(value) for value in values[2].values())


@pytest.mark.parametrize(
    ("outcome", "cell", "message"),
    [
        (Outcome("x", "continuous"), "high", r"line 2 has a cell that is no number, for the cont"),
        (Outcome("x", "continuous"), "1e999", r"line 2 has a number that is too large"),
        (Outcome("x", "time-to-event", event="e"), ("1", "maybe"), r"event 'maybe', expected 1 or"),
        (Outcome("x", "time-to-event", event="e"), ("-1", "1"), r"time '-1' .* from 0 on and an"),
        (Outcome("x", "time-to-event", event="e"), ("1", ""), r"and an event, or neither"),
        (Outcome("x", "binary", ("a", "b", "c")), "a", r"is declared binary and has 3 classes"),
        (Outcome("x", classes=("a",)), "b", r"line 2 has 'b' for outcome 'x', whose classes are a"),
    ],
)
def test_a_cell_of_another_kind_is_named(outcome, cell, message):
    with pytest.raises(InputError, match=message):
        _complete(outcome, cell)


def test_numbers_are_told_in_one_line():
    outcome = Outcome("x", "continuous", unit="%")
    values = [{"value": value} for value in (60.0, 40.0, math.nan)]
    assert tell("x", outcome, values) == ["outcome x: 40 to 60 %, median 50; missing 1"]
    assert tell("x", outcome, values[2:]) == ["outcome x: none; missing 1"]
    times = [{"time": 1.0, "event": 1.0}, {"time": 3.0, "event": 0.0}]
    told = tell("x", Outcome("x", "time-to-event", event="e"), times)
    assert told == ["outcome x: 1 events in 2 times of 1 to 3, median 2; missing 0"]
