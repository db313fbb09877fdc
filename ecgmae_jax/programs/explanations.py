"""Attribution maps of many pictures, and the two checks on them."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int

from ecgmae_jax.models.attribution import integrated_gradients
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.patches import patchify
from ecgmae_jax.programs import attribution_checks as checks
from ecgmae_jax.programs.batches import in_batches
from ecgmae_jax.programs.explained_models import LEVELS, ExplainedModel, with_fresh
from ecgmae_jax.programs.explained_pictures import Subjects

# From parameters, standardised pictures and the class of each to the value of each patch.
MapOf = Callable[[Params, Any, Any], Any]
# From one number per picture to their mean with its interval.
Describe = Callable[[np.ndarray], Mapping[str, float]]


METHODS = ("integrated gradients", "attention rollout")


def make_maps(model: ExplainedModel, *, steps: int) -> dict[str, MapOf]:
    """The methods by name: signed contributions to the log odds, or shares of the attention.

    Integrated gradients start from a picture that is everywhere as grey as the data's mean.
    """

    @jax.jit
    def gradients(
        params: Params, images: Float32[Array, "b h w c"], which: Int[Array, " b"]
    ) -> Float32[Array, "b n"]:
        pixels = integrated_gradients(
            lambda x: _of_class(model.log_odds(params, x, None), which),
            images,
            baseline=jnp.zeros_like(images),
            steps=steps,
        )
        return patchify(pixels, patch_size=model.config.patch_size).sum(axis=-1)

    def rollout(params: Params, images: Any, which: Any) -> Any:
        return model.rollout(params, images)

    return dict(zip(METHODS, (gradients, rollout), strict=True))


def values_of(
    map_of: MapOf, params: Params, subjects: Subjects, *, batch_size: int
) -> Float[np.ndarray, "b n"]:
    """A map of every picture."""
    return in_batches(
        functools.partial(map_of, params), subjects.images, subjects.which, batch_size=batch_size
    )


def randomisation(
    model: ExplainedModel,
    subjects: Subjects,
    maps: Mapping[str, Float[np.ndarray, "b n"]],
    *,
    maps_of: Mapping[str, MapOf],
    describe: Describe,
    seed: int,
    batch_size: int,
) -> dict[str, dict[str, Any]]:
    """By method and level, how alike in rank the maps remain when those weights are drawn anew.

    Adebayo et al. 2018: a map that stays the same is a drawing of the picture, not of the model.
    """
    fresh = model.fresh(jax.random.key(seed))
    found: dict[str, dict[str, Any]] = {method: {} for method in maps}
    for level in LEVELS:
        params = with_fresh(model.params, fresh, level=level)
        for method, values in maps.items():
            others = values_of(maps_of[method], params, subjects, batch_size=batch_size)
            found[method][level] = describe(checks.rank_correlations(values, others))
    return found


def deletion(
    model: ExplainedModel,
    subjects: Subjects,
    maps: Mapping[str, Float[np.ndarray, "b n"]],
    *,
    shares: Sequence[float],
    draws: int,
    describe: Describe,
    seed: int,
    batch_size: int,
) -> dict[str, list[dict[str, Any]]]:
    """By method and share of hidden patches: the probability left, against hiding at random.

    Patches are hidden as in pre-training: the encoder does not get their tokens. `difference` is
    what hiding at random leaves over and hiding the most attributed does not (the deletion metric
    of Petsiuk et al. 2018 against its chance level).
    """

    def probability(visible):
        return in_batches(
            one_batch, subjects.images, subjects.which, visible, batch_size=batch_size
        )

    def one_batch(images, which, visible):
        odds = model.log_odds(model.params, images, visible)
        return jax.nn.sigmoid(_of_class(odds, jnp.asarray(which)))

    shape = (len(subjects.images), model.config.num_patches)
    chance = checks.hidden_at_random(probability, shape, shares=shares, draws=draws, seed=seed)
    found = {}
    for method, values in maps.items():
        left = checks.hidden_most_first(probability, values, shares=shares)
        found[method] = [
            {
                "hidden": share,
                "most_attributed": describe(left[:, i]),
                "random": describe(chance[:, i]),
                "difference": describe(chance[:, i] - left[:, i]),
            }
            for i, share in enumerate(shares)
        ]
    return found


def _of_class(odds: Float32[Array, "b k"], which: Int[Array, " b"]) -> Float32[Array, " b"]:
    return jnp.take_along_axis(odds, which[:, None], axis=1)[:, 0]
