"""A linear probe followed while pre-training goes on: what does the encoder learn to tell?"""

from collections.abc import Callable

import numpy as np

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.evaluation.readouts.probes import fit_probe, fittable_classes, predict
from ecgmae_jax.evaluation.statistics.discrimination import labels_with, weighted_auroc
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs.encoders import embed_split, make_features
from ecgmae_jax.programs.inputs import truth_of

# One inverse penalty, fixed so that the curve shows the encoder and not the choice.
_PENALTY = 0.01
_BATCH_SIZE = 64


def make_evaluator(
    task: str,
    train: Dataset,
    validation: Dataset,
    specification: dict,
    config: ViTConfig,
    *,
    compute: Compute,
) -> Callable[[Params], dict[str, float]]:
    """A function from an autoencoder's parameters to the probe's macro AUROC on `validation`.

    Mean-pooled features of all training pictures, logistic regression with C = 0.01. Pictures
    whose label is unknown are left out.
    """
    train_truth, validation_truth = truth_of(train, task), truth_of(validation, task)
    compute_features = make_features(config, specification, compute=compute, pooling="mean")

    def evaluator(params: Params) -> dict[str, float]:
        def encode(images: np.ndarray) -> np.ndarray:
            return np.asarray(compute_features(params["encoder"], images))

        matrices = [
            embed_split(split, specification, functions={"mae": encode}, batch_size=_BATCH_SIZE)
            for split in (train, validation)
        ]
        score = probe_auroc(matrices[0]["mae"], train_truth, matrices[1]["mae"], validation_truth)
        return {f"probe_{task}_auroc": score}

    return evaluator


def probe_auroc(
    features: np.ndarray, truth: np.ndarray, test_features: np.ndarray, test_truth: np.ndarray
) -> float:
    """Macro AUROC over the classes that both sides have, of a probe fitted on the first."""
    known, test_known = ~np.isnan(truth[:, 0]), ~np.isnan(test_truth[:, 0])
    features, truth = features[known], truth[known]
    test_features, test_truth = test_features[test_known], test_truth[test_known]
    groups = np.arange(len(truth)).astype(str)
    usable = fittable_classes(truth, groups) & labels_with(test_truth)
    probe = fit_probe(
        features,
        truth[:, usable],
        groups,
        classes=tuple(map(str, np.flatnonzero(usable))),
        exclusive=False,
        grid=(_PENALTY,),
        num_folds=2,
        seed=0,
        metadata={},
    )
    scores = predict(probe, test_features)
    ones = np.ones((1, len(test_truth)))
    columns = np.flatnonzero(usable)
    areas = [weighted_auroc(test_truth[:, j], scores[:, i], ones) for i, j in enumerate(columns)]
    return float(np.mean(areas))
