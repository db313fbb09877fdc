import collections
import json

from data_builders.account import Account, from_json, to_json
from ecgmae_jax.records.tally import Tally


def _account(source: str, read: int, rejected: str) -> Account:
    tally = Tally(read, 2 * read, [(rejected, "truncated", "short")])
    return Account({source: tally}, collections.Counter({"at 500 Hz": read}), [f"note {source}"])


def test_sum_keeps_sources_apart_and_adds_the_rest():
    total = _account("a", 1, "x") + _account("b", 2, "y") + _account("a", 4, "z")
    assert {source: tally.read for source, tally in total.tallies.items()} == {"a": 5, "b": 2}
    assert total.counts["at 500 Hz"] == 7
    assert total.notes == ["note a", "note b", "note a"]
    assert total.total().refused() == {"truncated": 3}


def test_json_carries_an_account():
    account = _account("a", 3, "x")
    assert from_json(to_json(account)) == account


def test_lines_name_each_source_and_end_with_the_total():
    lines = (_account("b", 1, "x") + _account("a", 2, "y")).lines()
    assert [line.split(":")[0] for line in lines[2:4]] == ["a", "b"]
    assert lines[-2] == "3 at 500 Hz"
    assert lines[-1].startswith("read 3 recordings, cut into 6 pictures; refused 2")


def test_metadata_has_counts_and_no_names_of_records():
    fields = _account("a", 3, "secret").as_dict()
    assert fields["tally"] == {"read": 3, "pictures": 6, "refused": {"truncated": 1}}
    assert "secret" not in json.dumps(fields)
