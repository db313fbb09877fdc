import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.classification import (
    class_weights,
    classification_losses,
    probabilities,
)

rng = np.random.default_rng(0)
SCORES = rng.normal(size=(7, 4)).astype(np.float32)
ONE_OF = np.eye(4, dtype=np.float32)[rng.integers(0, 4, 7)]
ANY_OF = rng.integers(0, 2, (7, 4)).astype(np.float32)
ONES = jnp.ones(4)


def losses(labels, *, exclusive, weights=ONES, focal_gamma=0.0, scores=SCORES):
    return classification_losses(
        jnp.asarray(scores),
        jnp.asarray(labels),
        weights=weights,
        focal_gamma=focal_gamma,
        exclusive=exclusive,
    )


def test_exclusive_loss_is_the_log_loss_of_softmax():
    found, known = losses(ONE_OF, exclusive=True)
    softmax = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
    expected = -np.log(softmax[np.arange(7), ONE_OF.argmax(1)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(known, 1)
    np.testing.assert_allclose(
        probabilities(jnp.asarray(SCORES), exclusive=True), softmax, rtol=1e-5
    )


def test_any_of_loss_is_the_mean_log_loss_of_sigmoids():
    found, _ = losses(ANY_OF, exclusive=False)
    p = expit(SCORES)
    expected = -(ANY_OF * np.log(p) + (1 - ANY_OF) * np.log(1 - p)).mean(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(probabilities(jnp.asarray(SCORES), exclusive=False), p, rtol=1e-5)


def test_a_weight_multiplies_what_positives_contribute():
    weights = jnp.asarray([1.0, 3.0, 1.0, 1.0])
    change = (
        losses(ANY_OF, exclusive=False, weights=weights)[0] - losses(ANY_OF, exclusive=False)[0]
    )
    expected = -2 * ANY_OF[:, 1] * np.log(expit(SCORES[:, 1])) / 4
    np.testing.assert_allclose(change, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_the_formula_of_lin_et_al(gamma):
    weights = np.array([1.0, 3.0, 0.5, 1.0], np.float32)
    softmax = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
    p = softmax[np.arange(7), ONE_OF.argmax(1)]
    expected = -weights[ONE_OF.argmax(1)] * (1 - p) ** gamma * np.log(p)
    settings = {"weights": jnp.asarray(weights), "focal_gamma": gamma}
    found, _ = losses(ONE_OF, exclusive=True, **settings)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    p = np.where(ANY_OF > 0, expit(SCORES), 1 - expit(SCORES))
    weight = np.where(ANY_OF > 0, weights, 1.0)
    expected = -(weight * (1 - p) ** gamma * np.log(p)).mean(1)
    found, _ = losses(ANY_OF, exclusive=False, **settings)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("exclusive", [True, False])
def test_focal_loss_has_a_slope_where_the_answer_is_certain(exclusive):
    certain = np.where(ONE_OF > 0, 200.0, -200.0).astype(np.float32)
    settings = {"exclusive": exclusive, "focal_gamma": 0.5}
    slope = jax.grad(lambda scores: losses(ONE_OF, scores=scores, **settings)[0].sum())(certain)
    np.testing.assert_array_equal(slope, 0)
    wrong = jax.grad(lambda scores: losses(ONE_OF, scores=scores, **settings)[0].sum())(-certain)
    assert np.isfinite(wrong).all()
    assert np.abs(wrong).max() > 0.1


def test_a_negative_gamma_is_refused():
    with pytest.raises(InputError, match=r"focal_gamma is -1.0; expected 0 for cross-entropy"):
        losses(ONE_OF, exclusive=True, focal_gamma=-1.0)


@pytest.mark.parametrize("exclusive", [True, False])
def test_unknown_labels_count_for_nothing(exclusive):
    labels = ONE_OF.copy()
    labels[2] = np.nan
    found, known = losses(labels, exclusive=exclusive)
    assert found[2] == 0
    np.testing.assert_array_equal(known, [1, 1, 0, 1, 1, 1, 1])


def test_balanced_weights_make_all_classes_weigh_the_same():
    labels = np.eye(3, dtype=np.float32)[[0] * 6 + [1] * 3 + [2]]
    weights = class_weights(labels, kind="balanced", exclusive=True)
    np.testing.assert_allclose(weights * labels.sum(0), 10 / 3, rtol=1e-6)
    weights = class_weights(labels, kind="balanced", exclusive=False)
    np.testing.assert_allclose(weights * labels.sum(0), (1 - labels).sum(0), rtol=1e-6)


def test_weights_are_bounded_and_ignore_unknown_rows():
    labels = np.zeros((1000, 2), np.float32)
    labels[0, 0] = labels[:500, 1] = 1
    labels[700:] = np.nan
    weights = class_weights(labels, kind="balanced", exclusive=False)
    assert weights[0] == 50
    assert weights[1] == pytest.approx(200 / 500)
    np.testing.assert_array_equal(class_weights(labels, kind="none", exclusive=False), 1)


def test_an_unknown_kind_of_weights_is_named():
    with pytest.raises(InputError, match="class_weights is 'inverse'; choose none or balanced"):
        class_weights(ONE_OF, kind="inverse", exclusive=True)
