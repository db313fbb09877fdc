import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.logistic import fit_logistic


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 4)) @ rng.normal(size=(4, 9)) + rng.normal(size=(120, 9))
    scores = features[:, :3] * 0.4 + rng.normal(size=(120, 3)) - np.array([0.0, 0.7, 1.5])
    return features, (scores > 0).astype(float)


def test_every_target_and_penalty_agrees_with_scikit_learn(problem):
    features, targets = problem
    penalties = np.array([1e-6, 1e-2, 1.0, 1e2])
    coefficients, intercepts = fit_logistic(features, targets, inverse_penalties=penalties)
    for i, penalty in enumerate(penalties):
        for k in range(3):
            expected = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-9)
            expected.fit(features, targets[:, k])
            np.testing.assert_allclose(coefficients[i, k], expected.coef_[0], atol=2e-5)
            np.testing.assert_allclose(intercepts[i, k], expected.intercept_[0], atol=2e-5)


def test_the_gradient_vanishes_with_more_features_than_rows_and_separable_targets():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30, 80))
    targets = (features[:, :1] > 0).astype(float)
    penalties = np.array([1e-3, 10.0])
    coefficients, intercepts = fit_logistic(features, targets, inverse_penalties=penalties)
    for i, penalty in enumerate(penalties):
        scores = features @ coefficients[i, 0] + intercepts[i, 0]
        wrong = 1 / (1 + np.exp(-scores)) - targets[:, 0]
        gradient = features.T @ wrong + coefficients[i, 0] / penalty
        assert np.abs(gradient).max() < 1e-6 * 30
        assert abs(wrong.sum()) < 1e-6 * 30


def test_more_features_than_rows_give_the_same_optimum_as_scikit_learn():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(40, 150))
    targets = (features[:, :2] + rng.normal(size=(40, 2)) > 0).astype(float)
    # Columns that repeat others leave the rows' span with fewer dimensions than rows.
    features[:, 20:] = features[:, :20] @ rng.normal(size=(20, 130))
    penalties = np.array([1e-3, 1e-1])
    coefficients, intercepts = fit_logistic(features, targets, inverse_penalties=penalties)
    for i, penalty in enumerate(penalties):
        for k in range(2):
            expected = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-10)
            expected.fit(features, targets[:, k])
            np.testing.assert_allclose(coefficients[i, k], expected.coef_[0], atol=1e-5)
            np.testing.assert_allclose(intercepts[i, k], expected.intercept_[0], atol=1e-5)


def test_a_mean_shift_of_the_features_only_moves_the_intercept(problem):
    features, targets = problem
    shift = np.linspace(-1, 1, 9)
    near, far = (
        fit_logistic(x, targets, inverse_penalties=np.array([0.1]), tolerance=1e-9)
        for x in (features, features + shift)
    )
    np.testing.assert_allclose(near[0], far[0], atol=1e-6)
    np.testing.assert_allclose(near[1], far[1] + far[0] @ shift, atol=1e-6)


def test_a_precision_that_rounding_forbids_is_reported(problem):
    features, targets = problem
    with pytest.raises(InputError, match=r"3 of 3 fits did not converge in 100 Newton steps"):
        fit_logistic(features, targets, inverse_penalties=np.array([1.0]), tolerance=0.0)
