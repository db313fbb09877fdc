import numpy as np
import pandas as pd
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.number_columns import number_columns
from ecgmae_jax.evaluation.reporting.number_predictions import join_columns, read_outcome
from ecgmae_jax.evaluation.statistics.outcome_measures import NumericTruth


def make_table(num=12):
    frame = pd.DataFrame(
        {
            "source": "NA",
            "record_id": [f"0{i:02d}" for i in range(num)],
            "group": [f"p{i}" for i in range(num)],
            "split": "s",
            "num_pictures": 1,
            "sex": "female",
            "age_years": 50.5,
            "part": np.repeat(["train", "test"], num // 2),
        }
    )
    rng = np.random.default_rng(0)
    time = np.where(np.arange(num) == num - 1, np.nan, rng.random(num))
    truth = NumericTruth(time, np.where(np.isnan(time), np.nan, np.arange(num) % 2))
    risks = {name: np.where(frame["part"] == "test", rng.random(num), np.nan) for name in "ab"}
    return pd.concat([frame, number_columns("death", truth, risks)], axis=1)


@pytest.fixture
def write(tmp_path):
    def write(name, table):
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False)
        return path

    return write


def test_what_was_written_is_read_as_it_was(write):
    table = make_table()
    assert list(table)[8:] == [
        "truth.death.time",
        "truth.death.event",
        "a.death.risk",
        "b.death.risk",
    ]
    path = write("one", table)
    found = read_outcome({"b": path, "a": path}, outcome="death")
    assert list(found.predictions) == ["b", "a"]
    assert found.rows("test", "a", "b").sum() == 5
    np.testing.assert_array_equal(found.truth.values, table["truth.death.time"])
    again = read_outcome(dict.fromkeys("ba", write("two", found.table())), outcome="death")
    pd.testing.assert_frame_equal(again.table(), found.table())


def test_models_without_the_outcome_are_left_out_and_named(write):
    table = make_table()
    other = table.drop(columns=[c for c in table if ".death." in c]).assign(
        **{"truth.x.y": 1, "tuned.x.y": 0.5}
    )
    found = read_outcome({"t": write("t", other), "a": write("a", table)}, outcome="death")
    assert (list(found.predictions), found.without) == (["a"], ("t",))
    # A column of its own would be another model's under this name.
    alone = table.drop(columns="b.death.risk").assign(**{"truth.x.y": 1, "b.x.y": 0.5})
    path = write("b", alone)
    found = read_outcome({"b": path, "a": path}, outcome="death")
    assert (list(found.predictions), found.without) == (["a"], ("b",))


def test_values_and_times_do_not_meet_in_one_outcome(write):
    table = make_table()
    names = {"truth.death.time": "truth.death.value", "b.death.risk": "b.death.value"}
    value = table.drop(columns=["truth.death.event", "a.death.risk"]).rename(columns=names)
    files = {"a": write("a", table), "b": write("b", value)}
    with pytest.raises(InputError, match=r"b\.csv has the classes \['value'\]"):
        read_outcome(files, outcome="death")


def test_tables_are_joined_by_record():
    table = make_table()
    facts = [name for name in table if "." not in name]
    one = table[[*facts, "a.death.risk"]][:8]
    other = table[[*facts, "truth.death.event", "b.death.risk"]][4:].assign(device="X")
    joined = join_columns([one, other])
    assert joined["record_id"].tolist() == table["record_id"].tolist()
    assert joined["age_years"].tolist() == [50.5] * 12
    assert joined["device"].isna().tolist() == [True] * 4 + [False] * 8
    np.testing.assert_array_equal(joined["b.death.risk"][4:], table["b.death.risk"][4:])
    assert joined["a.death.risk"][8:].isna().all()
    assert join_columns([one])["a.death.risk"].equals(one["a.death.risk"])
