import os
import signal

import pytest

from ecgmae_jax.evaluation.publishing import publish, write_whole


def _tree(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_results_replace_those_of_an_earlier_run_and_leave_other_files(tmp_path):
    publish(tmp_path / "run", {"metrics.json": b"1", "probes/a.npz": b"a", "probes/b.npz": b"b"})
    (tmp_path / "run" / "notes.txt").write_text("mine")
    publish(tmp_path / "run", {"metrics.json": b"2", "probes/a.npz": b"c"})
    assert _tree(tmp_path / "run") == {
        "metrics.json": "2",
        "probes/a.npz": "c",
        "notes.txt": "mine",
    }


def test_a_run_that_dies_on_the_way_leaves_no_metrics(tmp_path, monkeypatch):
    publish(tmp_path, {"metrics.json": b"1", "report.html": b"old", "summary.txt": b"old"})
    replace = os.replace

    def die_at_the_report(source, target):
        if str(target).endswith("report.html"):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", die_at_the_report)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, {"metrics.json": b"2", "report.html": b"new", "summary.txt": b"new"})
    assert "metrics.json" not in _tree(tmp_path)
    assert not list(tmp_path.glob(".unfinished-*"))


def test_who_asks_it_to_end_waits_until_all_is_in_place(tmp_path, monkeypatch):
    replace, seen = os.replace, []

    def ask_at_the_report(source, target):
        if str(target).endswith("report.html"):
            os.kill(os.getpid(), signal.SIGTERM)
        replace(source, target)

    def note(number, frame):
        seen.append(_tree(tmp_path))

    monkeypatch.setattr(os, "replace", ask_at_the_report)
    before = signal.signal(signal.SIGTERM, note)
    try:
        publish(tmp_path, {"metrics.json": b"2", "report.html": b"new", "tables/a.csv": b"new"})
        assert signal.getsignal(signal.SIGTERM) is note
    finally:
        signal.signal(signal.SIGTERM, before)
    whole = {"metrics.json": "2", "report.html": "new", "tables/a.csv": "new"}
    assert seen == [whole]
    assert not list(tmp_path.glob(".unfinished-*"))


def test_one_file_is_written_whole_or_the_old_one_stays(tmp_path, monkeypatch):
    write_whole(tmp_path / "folder" / "facts.json", b"old")

    def die(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "folder" / "facts.json", b"new")
    assert _tree(tmp_path) == {"folder/facts.json": "old"}
