import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.nearest_neighbours import neighbour_probabilities


@pytest.fixture
def problem():
    rng = np.random.default_rng(2)
    features = (rng.normal(size=(90, 6)) * [1, 5, 1, 0.1, 1, 2] + 3).astype(np.float32)
    truth = (rng.random((90, 3)) < 0.4).astype(np.float32)
    return features[:70], truth[:70], features[70:]


def test_shares_agree_with_scikit_learn(problem):
    features, truth, queries = problem
    found = neighbour_probabilities(features, truth, queries, neighbours=7, temperature=0.2)
    scaled = (features - features.mean(0)) / features.std(0)
    model = KNeighborsClassifier(
        7, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.2)
    ).fit(scaled, truth)
    expected = model.predict_proba((queries - features.mean(0)) / features.std(0))
    expected = np.stack([column[:, 1] for column in expected], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_units_do_not_matter_and_one_neighbour_is_a_copy(problem):
    features, truth, queries = problem
    found = neighbour_probabilities(features, truth, features, neighbours=1, temperature=0.07)
    np.testing.assert_allclose(found, truth)
    units = np.float32([1, 100, 7, 3, 0.01, 1])
    one, other = (
        neighbour_probabilities(features * u, truth, queries * u, neighbours=9, temperature=0.1)
        for u in (np.float32(1), units)
    )
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_more_neighbours_than_records_are_refused(problem):
    with pytest.raises(InputError, match=r"71 neighbours asked for, there are 70 training records"):
        neighbour_probabilities(*problem, neighbours=71, temperature=0.1)
