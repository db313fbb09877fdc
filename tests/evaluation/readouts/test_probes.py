import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probes import (
    fit_probe,
    fittable_classes,
    held_out_losses,
    predict,
)

GRID = (1e-3, 1e-1, 10.0)


@pytest.fixture
def exclusive():
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(60), 2)
    kind = rng.integers(0, 3, 120)
    features = (rng.normal(size=(120, 6)) * 3 + 5).astype(np.float32)
    features[:, :3] += 2.5 * np.eye(3)[kind]
    return features, np.eye(3, dtype=np.float32)[kind], groups


def _fit(features, truth, groups, *, exclusive=True):
    return fit_probe(
        features,
        truth,
        groups,
        classes=[f"c{k}" for k in range(truth.shape[1])],
        exclusive=exclusive,
        grid=GRID,
        num_folds=4,
        seed=0,
        metadata={},
    )


def test_held_out_losses_agree_with_scikit_learn_fold_by_fold(exclusive):
    features, truth, groups = exclusive
    found = held_out_losses(features, truth, groups, grid=np.array(GRID), num_folds=4, seed=0)
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    parts = list(folds.split(features, truth.argmax(axis=1), groups))
    for i, penalty in enumerate(GRID):
        for k in range(3):
            total = 0.0
            for train, test in parts:
                model = make_pipeline(
                    StandardScaler(), LogisticRegression(C=penalty, tol=1e-8, max_iter=1000)
                ).fit(features[train].astype(float), truth[train, k])
                scores = model.predict_proba(features[test].astype(float))
                total += log_loss(truth[test, k], scores, labels=[0, 1], normalize=False)
            np.testing.assert_allclose(found[i, k], total / 120, rtol=1e-4)


def test_each_class_gets_the_c_of_least_held_out_loss(exclusive):
    features, truth, groups = exclusive
    losses = held_out_losses(features, truth, groups, grid=np.array(GRID), num_folds=4, seed=0)
    probe = _fit(features, truth, groups)
    assert probe.chosen_c.tolist() == [GRID[i] for i in losses.argmin(axis=0)]
    k = 1
    expected = make_pipeline(StandardScaler(), LogisticRegression(C=probe.chosen_c[k], tol=1e-8))
    expected.fit(features.astype(float), truth[:, k])
    found = predict(_fit(features, truth, groups, exclusive=False), features)[:, k]
    np.testing.assert_allclose(
        found, expected.predict_proba(features.astype(float))[:, 1], atol=1e-4
    )


def test_exclusive_probabilities_sum_to_one_and_units_of_features_do_not_matter(exclusive):
    features, truth, groups = exclusive
    probabilities = predict(_fit(features, truth, groups), features)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    scaled = features * np.float32(64.0)
    np.testing.assert_allclose(
        predict(_fit(scaled, truth, groups), scaled), probabilities, atol=1e-5
    )


def test_features_that_only_name_the_patient_earn_nothing():
    # Two records a patient, alike in every way: folds that split patients would read off the label.
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(40), 2)
    features = np.eye(40, dtype=np.float32)[groups]
    truth = np.repeat(rng.permutation(np.arange(40) < 20), 2)[:, None].astype(np.float32)
    losses = held_out_losses(features, truth, groups, grid=np.array(GRID), num_folds=5, seed=0)
    assert losses.min() > 0.99 * np.log(2)


def test_a_constant_feature_is_harmless(exclusive):
    features, truth, groups = exclusive
    wider = np.concatenate([features, np.full((120, 1), 3.0, np.float32)], axis=1)
    np.testing.assert_allclose(
        predict(_fit(wider, truth, groups), wider),
        predict(_fit(features, truth, groups), features),
        atol=1e-5,
    )


def test_classes_of_a_single_patient_cannot_be_fitted(exclusive):
    features, _, groups = exclusive
    findings = np.zeros((120, 3), np.float32)
    findings[:2, 0] = 1
    findings[:40, 1] = 1
    findings[:, 2] = 1
    assert fittable_classes(findings, groups).tolist() == [False, True, False]
    with pytest.raises(InputError, match=r"classes \['c0', 'c2'\] have fewer than 2 training"):
        _fit(features, findings, groups, exclusive=False)


def test_a_class_of_two_patients_is_fitted_with_more_folds_than_that(exclusive):
    features, _, groups = exclusive
    findings = np.zeros((120, 2), np.float32)
    findings[[0, 50], 0] = 1
    findings[::3, 1] = 1
    probabilities = predict(_fit(features, findings, groups, exclusive=False), features)
    assert np.isfinite(probabilities).all()


def test_embeddings_of_another_width_are_refused(exclusive):
    features, truth, groups = exclusive
    with pytest.raises(InputError, match=r"fitted on 6 features, these embeddings have 4"):
        predict(_fit(features, truth, groups), features[:, :4])
