import errno
import json

import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.training import logs


def open_writer(folder, *, start_step=0):
    return logs.MetricsWriter(
        folder,
        start_step=start_step,
        total_steps=100,
        examples_per_step=8,
        peak_examples_per_second=1e6,
    )


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_step_is_one_line_that_keeps_every_digit(tmp_path):
    loss = np.nextafter(np.float32(0.1), np.float32(1))
    with open_writer(tmp_path) as writer:
        values = writer.read(20, {"loss": jnp.asarray(loss), "grad_norm": jnp.asarray(2.0)})
        writer.write(20, values | {"validation_loss": 0.5})
    (row,) = lines(tmp_path)
    for measured in ("examples_per_second", "step_seconds", "model_flop_utilisation"):
        assert row.pop(measured) > 0
    assert row.pop("input_wait_seconds") == 0
    assert row == {"step": 20, "loss": float(loss), "grad_norm": 2.0, "validation_loss": 0.5}
    assert np.float32(row["loss"]) == loss


def test_a_line_is_on_disk_as_soon_as_it_is_written(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write(1, {"loss": 1.0})
        assert lines(tmp_path) == [{"step": 1, "loss": 1.0}]


def test_tensorboard_gets_the_same_numbers(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write(1, {"loss": 1.0, "learning_rate": 0.25})
    (events,) = tmp_path.glob("events.out.tfevents.*")
    content = events.read_bytes()
    assert b"loss" in content and b"learning_rate" in content
    # Field 2 of a summary value, wire type 5: a little-endian float.
    assert b"\x15" + np.float32(0.25).tobytes() in content


def test_the_rate_counts_examples_since_the_last_reading_without_what_came_between(
    tmp_path, monkeypatch
):
    now = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    with open_writer(tmp_path) as writer:
        now[0] += 4.0
        assert writer.read(10, {})["examples_per_second"] == 10 * 8 / 4.0
        now[0] += 1000.0  # evaluation
        writer.write(10, {"loss": 1.0})
        now[0] += 500.0  # saving
        writer.restart_clock()
        now[0] += 2.0
        assert writer.read(15, {})["examples_per_second"] == 5 * 8 / 2.0


def test_a_loss_that_is_no_number_is_null(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write(1, {"loss": float("nan"), "grad_norm": float("inf")}, batch="0f")
    assert lines(tmp_path) == [{"step": 1, "loss": None, "grad_norm": None, "batch": "0f"}]


@pytest.mark.parametrize("name", ["metrics.jsonl", "TensorBoard's events"])
def test_a_file_that_cannot_be_written_is_given_up_with_one_line(tmp_path, capsys, name):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_writer(tmp_path) as writer:
        writer.write(1, {"loss": 1.0})
        kept = writer._files[name]
        writer._files[name] = full
        for step in range(2, 30):
            writer.write(step, {"loss": 1.0})
        assert name not in writer._files and kept
    said = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
    assert said == [f"{name} cannot be written (No space left on device); training goes on without"]
    assert len(lines(tmp_path)) == (1 if name == "metrics.jsonl" else 29)


def test_a_log_folder_that_is_a_file_does_not_stop_the_run(tmp_path, capsys):
    (tmp_path / "run").write_text("")
    with open_writer(tmp_path / "run") as writer:
        writer.write(1, {"loss": 1.0})
    assert capsys.readouterr().err.count("training goes on without") == 2


def test_lines_of_steps_about_to_be_repeated_are_taken_out(tmp_path):
    with open_writer(tmp_path) as writer:
        for step in (10, 20, 30):
            writer.write(step, {"loss": 1.0})
    with open_writer(tmp_path, start_step=20) as writer:
        assert [row["step"] for row in lines(tmp_path)] == [10, 20]
        writer.write(30, {"loss": 2.0})
    assert [(row["step"], row["loss"]) for row in lines(tmp_path)] == [
        (10, 1.0),
        (20, 1.0),
        (30, 2.0),
    ]


@pytest.mark.parametrize("rest", ['{"step": 20, "lo', '{"step"', "\n", "7\n", '{"loss": 1.0}\n'])
def test_a_line_cut_short_is_taken_out(tmp_path, rest):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10, "loss": 1.0}\n' + rest)
    logs.drop_lines_after(path, step=100)
    assert path.read_text() == '{"step": 10, "loss": 1.0}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_an_interruption_while_lines_are_taken_out_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n')

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(logs.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        logs.drop_lines_after(path, step=10)
    assert path.read_text() == '{"step": 10}\n{"step": 20}\n'
