import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records


@pytest.mark.parametrize("rule", ["mean", "max"])
def test_records_hold_the_rule_over_their_own_pictures(make_embeddings, rule):
    embeddings = make_embeddings(num_patients=5)
    shuffled = np.random.default_rng(0).permutation(len(embeddings))
    embeddings.matrix[:] = embeddings.matrix[shuffled]
    frame = embeddings.frame
    found = aggregate_records(embeddings, rule=rule)
    assert found.frame["record_id"].tolist() == sorted(set(frame["record_id"]))
    assert found.frame["num_pictures"].tolist() == [2] * 10
    assert found.metadata["aggregation"] == rule
    for i, record in enumerate(found.frame["record_id"]):
        rows = (frame["record_id"] == record).to_numpy()
        expected = getattr(embeddings.matrix[rows], rule)(axis=0)
        np.testing.assert_allclose(found.matrix[i], expected, rtol=1e-6)
        np.testing.assert_array_equal(
            found.labels["rhythm"].values[i], embeddings.labels["rhythm"].values[rows][0]
        )
        np.testing.assert_array_equal(found.numbers["lvef"][i], embeddings.numbers["lvef"][rows][0])


def test_the_same_number_in_two_sources_is_two_records(make_embeddings):
    embeddings = make_embeddings(num_patients=4)
    embeddings.frame["record_id"] = "1"
    embeddings.frame["source"] = embeddings.frame.index.astype(str)
    assert len(aggregate_records(embeddings, rule="mean")) == 16


def test_pictures_of_a_record_must_agree(make_embeddings):
    embeddings = make_embeddings(num_patients=4)
    embeddings.labels["rhythm"].values[3] = np.roll(embeddings.labels["rhythm"].values[2], 1)
    with pytest.raises(InputError, match=r"record 'r001': its pictures differ in label\.rhythm"):
        aggregate_records(embeddings, rule="mean")
    embeddings = make_embeddings(num_patients=4)
    embeddings.numbers["lvef"][3] = 12.0
    with pytest.raises(InputError, match=r"record 'r001': its pictures differ in number\.lvef"):
        aggregate_records(embeddings, rule="mean")
    embeddings = make_embeddings(num_patients=4)
    embeddings.frame.loc[5, "split"] = "elsewhere"
    with pytest.raises(InputError, match=r"record 'r002': its pictures differ in split"):
        aggregate_records(embeddings, rule="mean")


def test_an_unknown_rule_is_refused_with_the_known_ones(make_embeddings):
    with pytest.raises(InputError, match=r"'median' unknown; choose one of \['mean', 'max'\]"):
        aggregate_records(make_embeddings(num_patients=4), rule="median")
