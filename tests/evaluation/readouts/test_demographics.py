import numpy as np

from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.readouts.demographics import age_and_sex


def test_features_are_age_and_sex_with_unknown_ages_at_the_training_median(make_embeddings):
    records = aggregate_records(make_embeddings(num_patients=9), rule="mean")
    frame = records.frame
    frame.loc[[0, 17], "age_years"] = np.nan
    frame.loc[3, "sex"] = "unknown"
    train = (frame["split"] == "train").to_numpy()
    found = age_and_sex(records, train)
    known = frame["age_years"][train].dropna()
    np.testing.assert_allclose(found.matrix[[0, 17], 0], known.median())
    np.testing.assert_allclose(np.delete(found.matrix[:, 0], [0, 17]), frame["age_years"].dropna())
    assert found.matrix[:, 1].nonzero()[0].tolist() == [0, 17]
    assert found.matrix[3, 2:].tolist() == [0, 0]
    np.testing.assert_array_equal(found.matrix[:, 2], frame["sex"] == "female")
    assert found.metadata["encoder"] == "age+sex"
    assert found.labels is records.labels


def test_nobody_known_gives_constant_features(make_embeddings):
    records = aggregate_records(make_embeddings(num_patients=6), rule="mean")
    records.frame["age_years"] = np.nan
    records.frame["sex"] = "unknown"
    found = age_and_sex(records, np.ones(len(records), bool))
    assert np.ptp(found.matrix, axis=0).max() == 0
