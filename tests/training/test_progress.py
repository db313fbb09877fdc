import io

import pytest

from ecgmae_jax.training import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_each_where_there_is_no_terminal(clock):
    stream = io.StringIO()
    line = progress.ProgressLine(total_steps=100, stream=stream)
    clock[0] = 60.0
    line.show(10, {"loss": 0.51239, "examples_per_second": 12.34})
    clock[0] = 70.0
    line.show(20, {"loss": 0.4, "examples_per_second": 1234.5})
    line.say("saved")
    line.close()
    assert stream.getvalue().splitlines() == [
        "step 10/100  loss 0.5124  12.3 examples/s",
        "step 20/100  loss 0.4000  1234.5 examples/s  1 min 20 s left",
        "saved",
    ]


def test_one_line_that_moves_on_a_terminal(clock):
    stream = Terminal()
    line = progress.ProgressLine(total_steps=100, stream=stream)
    line.show(10, {"loss": 123.0})
    line.show(11, {})
    line.say("saved")
    line.close()
    first, second = "step 10/100  loss 123.0000", "step 11/100  0 s left"
    assert stream.getvalue() == f"\r{first}\r{second.ljust(len(first))}\r{'saved'.ljust(21)}\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185.0, "3 min 5 s"),
        (3599.0, "59 min 59 s"),
        (7620.0, "2 h 7 min"),
        (352859.0, "4 d 2 h"),
    ],
)
def test_times_are_written_for_people(seconds, text):
    assert progress.duration(seconds) == text
