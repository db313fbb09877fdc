"""Arithmetic in a model, counted from its shapes: a multiply-add counts as two operations.

Normalisations, activations and softmax are left out, as is usual: they are below one per cent.
"""

from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig


def encoder_flops(config: ViTConfig, *, num_patches: int) -> int:
    """Operations of one encoder pass over `num_patches` patches of one image."""
    projection = 2 * num_patches * config.values_per_patch * config.width
    return projection + _blocks_flops(
        tokens=1 + num_patches, width=config.width, depth=config.depth, mlp_ratio=config.mlp_ratio
    )


def decoder_flops(config: MAEConfig) -> int:
    """Operations of one decoder pass over all patches of one image."""
    tokens, width = 1 + config.encoder.num_patches, config.decoder_width
    embed = 2 * (1 + config.num_visible) * config.encoder.width * width
    prediction = 2 * tokens * width * config.encoder.values_per_patch
    return (
        embed
        + prediction
        + _blocks_flops(
            tokens=tokens,
            width=width,
            depth=config.decoder_depth,
            mlp_ratio=config.encoder.mlp_ratio,
        )
    )


def mae_train_flops(config: MAEConfig) -> int:
    """Operations of training on one image, the backward pass taken as twice the forward one."""
    forward = encoder_flops(config.encoder, num_patches=config.num_visible) + decoder_flops(config)
    return 3 * forward


def _blocks_flops(*, tokens: int, width: int, depth: int, mlp_ratio: int) -> int:
    matrices = (4 + 2 * mlp_ratio) * width**2
    attention = 2 * tokens * width
    return 2 * tokens * (matrices + attention) * depth
