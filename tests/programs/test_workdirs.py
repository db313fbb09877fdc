import json

import ml_collections
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import workdirs


@pytest.fixture
def open_with(tmp_path):
    """A function that opens the workdir with a learning rate and a dataset's fingerprint."""

    def start(*, lr=0.1, data="0a"):
        config = ml_collections.ConfigDict({"optimizer": {"lr": lr}, "probes": ()})
        return workdirs.open_workdir(tmp_path / "run", config, data={"ptb_xl": data})

    return start


def history(tmp_path):
    lines = (tmp_path / "run/history.jsonl").read_text().splitlines()
    return [json.loads(line)["changed"] for line in lines]


def test_what_changed_is_said_and_kept(open_with, tmp_path, capsys):
    open_with()
    assert capsys.readouterr().err == ""
    open_with(lr=0.2)
    open_with(lr=0.2)
    assert capsys.readouterr().err == "config.optimizer.lr: 0.1 -> 0.2\n"
    assert history(tmp_path) == [{}, {"config.optimizer.lr": [0.1, 0.2]}, {}]
    assert json.loads((tmp_path / "run/config.json").read_text())["optimizer"]["lr"] == 0.2


def test_a_training_goes_on_with_its_own_data_alone(open_with, tmp_path):
    open_with()
    open_with(data="0b")
    (tmp_path / "run/checkpoints/4").mkdir(parents=True)
    kept = (tmp_path / "run/versions.json").read_text()
    message = "checkpoints of a training on ptb_xl with fingerprint 0b, and config.data is now ptb"
    with pytest.raises(InputError, match=message):
        open_with(data="0c")
    assert (tmp_path / "run/versions.json").read_text() == kept
    open_with(data="0b")


def test_what_a_killed_run_left_half_written_goes(open_with, tmp_path):
    open_with()
    (tmp_path / "run/.unfinished-abc").mkdir()
    (tmp_path / "run/.unfinished-abc/report.html").write_text("")
    (tmp_path / "run/.metrics.jsonl.123").write_text("")
    open_with()
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {".lock", "config.json", "versions.json", "history.jsonl"}


def test_a_record_that_cannot_be_read_is_written_anew(open_with, tmp_path):
    open_with()
    (tmp_path / "run/config.json").write_text('{"opt')
    open_with()
    assert json.loads((tmp_path / "run/config.json").read_text())["optimizer"]["lr"] == 0.1
