"""Learning-rate schedule and AdamW as the MAE recipes use them (He et al. 2022, tables 8 and 9)."""

import math
import re
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.trees import path_name

# Parameters without weight decay, as in mmpretrain's MAE configs: LayerNorm, biases, tokens,
# positions. (The authors' own code decays the two tokens.) A rule over names, not over the number
# of axes, because the biases of stacked layers have two.
NO_WEIGHT_DECAY = (r"(^|/)(bias|scale|cls_token|mask_token|positions)$",)

# What lies below the first transformer block, and the stacked blocks, in a ViT encoder.
VIT_STEM = r"(^|/)encoder/(patch_projection|cls_token|positions)(/|$)"
VIT_BLOCKS = r"(^|/)encoder/blocks/"


def make_schedule(
    *,
    peak_lr: float,
    warmup_steps: int,
    total_steps: int,
    warmup_start_lr: float = 0.0,
    final_lr: float = 0.0,
) -> optax.Schedule:
    """The learning rate as a function of the number of updates made so far.

    A straight line from `warmup_start_lr` to `peak_lr` over `warmup_steps`, then half a cosine
    down to `final_lr` at `total_steps`. It moves with every step, not with every epoch.

    Raises:
        InputError: a rate that is not positive or a warm-up that leaves no step for the rest.
    """
    if not 0 < peak_lr < math.inf:
        raise InputError(f"peak_lr is {peak_lr}; expected a positive number")
    if not 0 <= warmup_steps < total_steps:
        raise InputError(
            f"warm-up of {warmup_steps} steps in a run of {total_steps}; expected at least 0 and "
            "fewer than all steps: train longer or warm up for less"
        )
    return optax.warmup_cosine_decay_schedule(
        init_value=warmup_start_lr,
        peak_value=peak_lr,
        warmup_steps=warmup_steps,
        decay_steps=total_steps,
        end_value=final_lr,
    )


def decayed(params: PyTree, *, excluded: Sequence[str] = NO_WEIGHT_DECAY) -> PyTree:
    """For each parameter whether weight decay applies; `excluded` are regular expressions."""
    return jax.tree.map_with_path(
        lambda path, _: not any(re.search(rule, path_name(path)) for rule in excluded), params
    )


def make_optimizer(
    learning_rate: optax.Schedule,
    *,
    b1: float = 0.9,
    b2: float = 0.95,
    eps: float = 1e-8,
    weight_decay: float = 0.05,
    no_weight_decay: Sequence[str] = NO_WEIGHT_DECAY,
    max_grad_norm: float = math.inf,
) -> optax.GradientTransformation:
    """AdamW with decoupled weight decay, times the learning rate as in PyTorch.

    Args:
        learning_rate: from `make_schedule`.
        b1: decay of the mean gradient.
        b2: decay of the mean squared gradient; .95 in pre-training, .999 in fine-tuning.
        eps: added to the root of the mean squared gradient.
        weight_decay: share of a parameter taken off per unit of learning rate.
        no_weight_decay: regular expressions; parameters whose path matches one are not decayed.
        max_grad_norm: gradients of larger global norm are scaled down to it; infinite in the
            reference recipe.
    """
    if not max_grad_norm > 0:
        raise InputError(
            f"max_grad_norm is {max_grad_norm}; expected more than 0, inf for no limit"
        )
    adamw = optax.adamw(
        learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        weight_decay=weight_decay,
        mask=lambda params: decayed(params, excluded=no_weight_decay),
    )
    # Without a limit the clipping would still be compiled, array by array.
    limited = math.isfinite(max_grad_norm)
    clip = optax.clip_by_global_norm(max_grad_norm) if limited else optax.identity()
    return optax.chain(clip, adamw)


def layerwise_lr_decay(
    *, decay: float, depth: int, stem: str = VIT_STEM, blocks: str = VIT_BLOCKS
) -> optax.GradientTransformation:
    """Smaller steps for lower layers; chain it after the optimizer.

    The learning rate, weight decay included, is multiplied by decay^(depth + 1 - id): id 0 for
    the stem, i + 1 for block i; everything else moves at the full rate (Clark et al. 2020; Bao et
    al. 2022 for ViT).

    Args:
        decay: in (0, 1]; MAE fine-tuning uses .65 for ViT-B and .75 for L and H.
        depth: number of transformer blocks.
        stem: regular expression over paths, for what lies below the first block.
        blocks: the same for blocks whose parameters are stacked along a leading axis of `depth`.
    """
    if not 0 < decay <= 1:
        raise InputError(f"layer decay is {decay}; expected more than 0 and at most 1")

    def scaled(path: jax.tree_util.KeyPath, update: Array) -> Array:
        name = path_name(path)
        if re.search(stem, name):
            return update * decay ** (depth + 1)
        if not re.search(blocks, name):
            return update
        if update.shape[0] != depth:
            raise InputError(
                f"{name} stacks {update.shape[0]} layers but layer decay was made for {depth}"
            )
        scale = jnp.asarray([decay ** (depth - i) for i in range(depth)], update.dtype)
        return update * scale.reshape((depth,) + (1,) * (update.ndim - 1))

    return optax.stateless(lambda updates, _: jax.tree.map_with_path(scaled, updates))
