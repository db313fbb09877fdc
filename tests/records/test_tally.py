import csv
import functools
import operator
import pickle

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.records.tally import Tally


def example() -> Tally:
    tally = Tally()
    tally.add_read(180)
    tally.add_read(1)
    for name in ("A0007", "A0003", "A0009", "A0001"):
        tally.add_rejected(RejectedRecord(name, "truncated", "2 bytes"))
    tally.add_rejected(RejectedRecord("A0002", "flat", "no lead varies"))
    return tally


def test_the_summary_counts_and_names():
    assert example().summary() == (
        "read 2 recordings, cut into 181 pictures; refused 5: "
        "truncated 4 (A0001, A0003, A0007, ...), flat 1 (A0002)"
    )
    assert Tally(1, 2).summary() == "read 1 recordings, cut into 2 pictures; refused none"


def test_tallies_add_up_whatever_the_order():
    parts = [example(), Tally(3, 4), example()]
    total = functools.reduce(operator.add, parts)
    assert (total.read, total.pictures, len(total.rejections)) == (7, 366, 10)
    backwards = functools.reduce(operator.add, reversed(parts))
    assert total.summary() == backwards.summary()
    assert parts[0].rejections == example().rejections


def test_counts_alone_for_a_json_file():
    assert example().as_dict() == {
        "read": 2,
        "pictures": 181,
        "refused": {"truncated": 4, "flat": 1},
    }


def test_tally_and_rejection_survive_the_way_between_processes():
    tally = pickle.loads(pickle.dumps(example()))
    assert tally == example()
    rejected = pickle.loads(pickle.dumps(RejectedRecord("r", "flat", "why")))
    assert (rejected.record, rejected.code, rejected.detail) == ("r", "flat", "why")
    assert str(rejected) == "r: flat: why"


def test_the_table_is_complete_sorted_and_harmless(tmp_path):
    tally = Tally()
    tally.add_rejected(RejectedRecord("b", "bad-header", 'says "x",\ny'))
    tally.add_rejected(RejectedRecord("=cmd()", "flat", "@SUM(A1)"))
    tally.add_rejected(RejectedRecord("a\udcff", "flat", " -1"))
    path = tmp_path / "rejections.csv"
    tally.write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["record", "code", "detail"],
        ["'=cmd()", "flat", "'@SUM(A1)"],
        ["a\\udcff", "flat", "' -1"],
        ["b", "bad-header", 'says "x", y'],
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_a_clean_build_gives_a_table_without_rows(tmp_path):
    Tally(1, 1).write_csv(tmp_path / "rejections.csv")
    assert (tmp_path / "rejections.csv").read_text() == "record,code,detail\n"
