"""Every input that a fuzzer found worth keeping is read or refused, as the fuzzer would see it."""

import collections
import importlib
import pathlib

import pytest

HERE = pathlib.Path(__file__).parent
INPUTS = sorted(path.relative_to(HERE / "corpus") for path in (HERE / "corpus").glob("*/*"))


@pytest.mark.parametrize(
    ("kind", "reader", "least_answers"),
    [
        ("records", "record_reader", 8),
        ("pictures", "picture_reader", 4),
        ("tables", "table_reader", 2),
    ],
)
def test_every_kept_input_has_an_answer(monkeypatch, kind, reader, least_answers):
    # The scripts beside this file, which no package holds.
    monkeypatch.syspath_prepend(str(HERE))
    read = importlib.import_module(reader).read
    contents = [(HERE / "corpus" / path).read_bytes() for path in INPUTS if path.parts[0] == kind]
    answers = collections.Counter(map(read, contents))
    # A corpus that no longer reaches both ends tests nothing.
    assert answers["read"] >= 3
    assert len(answers) >= least_answers


def test_the_corpus_is_small():
    assert sum((HERE / "corpus" / path).stat().st_size for path in INPUTS) < 200_000
