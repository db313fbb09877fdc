import io
import itertools
import json

import numpy as np
import pytest

from data_builders import integrity
from data_builders.account import Account, from_json, to_json
from ecgmae_jax.seals import seal

EXAMPLE = {"image": b"png", "labels": {"a": [1, 2]}, "age_years": float("nan"), "sex": "female"}


def example(**changed):
    fields = EXAMPLE | {"signal": np.ones((2, 3), np.int16)} | changed
    return fields | {"image": io.BytesIO(fields["image"])}


def digest(*keyed, split="train"):
    return integrity.with_digests(lambda chunk: (list(chunk), Account()), split, keyed)[1].digest


def test_the_digest_follows_every_field_key_and_split():
    first = digest(("k", example()))
    assert first == digest(("k", example()))
    others = [
        digest(("k", example(image=b"pnG"))),
        digest(("k", example(labels={"a": [1, 3]}))),
        digest(("k", example(labels={"b": [1, 2]}))),
        digest(("k", example(age_years=3.0))),
        digest(("k", example(signal=np.ones((3, 2), np.int16)))),
        digest(("k", example(signal=np.ones((2, 3), np.int32)))),
        digest(("l", example())),
        digest(("k", example()), split="test"),
    ]
    assert first not in others and len(set(others)) == len(others)


def test_the_digest_does_not_follow_the_order_or_the_way_between_machines():
    accounts = [
        integrity.with_digests(lambda chunk: (chunk, Account()), "train", [(key, example())])[1]
        for key in "abc"
    ]
    sums = {
        from_json(to_json(sum(order, Account()))).digest
        for order in itertools.permutations(accounts)
    }
    assert sums == {digest(*((key, example()) for key in "abc"))}


def test_shards_are_sealed_by_name(tmp_path):
    shard = tmp_path / "x-train.array_record-00000-of-00001"
    shard.write_bytes(b"records")
    (tmp_path / "features.json").write_text("{}")
    integrity.seal_shards(tmp_path)
    assert json.loads((tmp_path / "shards.json").read_text()) == {shard.name: seal(shard)}


def test_what_a_killed_build_left_goes_and_nothing_else_stays(tmp_path, capsys):
    folder = tmp_path / "name/config"
    (folder / "incomplete.ABC_1.0.0").mkdir(parents=True)
    with integrity.alone(folder):
        assert [path.name for path in folder.iterdir()] == [".building"]
    assert "incomplete.ABC_1.0.0, which a killed build left" in capsys.readouterr().out
    assert not folder.exists()
    with pytest.raises(RuntimeError), integrity.alone(folder):
        (folder / "1.0.0").mkdir()
        raise RuntimeError
    assert [path.name for path in folder.iterdir()] == ["1.0.0"]
