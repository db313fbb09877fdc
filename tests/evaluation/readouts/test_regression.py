import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.regression import fit_ridge


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(80, 6)) * [1, 10, 0.1, 1, 1, 1] + 4).astype(np.float32)
    values = features @ [2, 0.3, 1, 0, 0, 0] + rng.normal(size=80) * 2 + 50
    return features, values, np.repeat(np.arange(40), 2)


def test_predictions_are_those_of_the_normal_equations(problem):
    features, values, groups = problem
    model = fit_ridge(features, values, groups, penalties=(3.0,), num_folds=4, seed=0)
    rows = (features - features.mean(0, dtype=float)) / features.std(0, dtype=float)
    weights = np.linalg.solve(rows.T @ rows + 3 * np.eye(6), rows.T @ (values - values.mean()))
    np.testing.assert_allclose(
        model.predict(features.astype(float)), rows @ weights + values.mean(), rtol=1e-6
    )


def test_the_penalty_has_the_least_error_on_patients_left_out(problem):
    features, values, groups = problem
    rng = np.random.default_rng(1)
    # A feature that names the patient helps only where a patient is in both parts.
    names = rng.normal(size=(40, 60))[groups]
    wide = np.concatenate([features, names], axis=1).astype(np.float32)
    noisy = values + 30 * rng.normal(size=40)[groups]
    model = fit_ridge(wide, noisy, groups, penalties=(1e-3, 1e4), num_folds=5, seed=0)
    assert model.best_params_["ridge__alpha"] == 1e4


def test_too_few_patients_and_constant_values_are_refused(problem):
    features, values, groups = problem
    with pytest.raises(InputError, match=r"3 training patients have a value, 5 folds"):
        fit_ridge(features[:6], values[:6], groups[:6], penalties=(1.0,), num_folds=5, seed=0)
    with pytest.raises(InputError, match=r"all 80 training records have the value 7;"):
        fit_ridge(features, np.full(80, 7.0), groups, penalties=(1.0,), num_folds=5, seed=0)
