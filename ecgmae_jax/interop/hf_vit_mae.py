"""Masked-autoencoder weights under the names of Hugging Face's ViTMAE or of the original code.

Nothing of either framework is imported: a state dict comes in as numpy arrays.
"""

import dataclasses
import re

from ecgmae_jax.interop.state_reader import State, StateReader, original_name
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig

_DECODER = re.compile(r"decoder_|mask_token$")


def mae_params(state: State, *, config: MAEConfig) -> Params:
    """Parameters of `MAE(config)` from a state dict; without a decoder in it, `encoder` alone.

    Raises:
        InputError: if an array is missing, is left over or has another shape than `config` asks
            for, holds NaN or infinity, or if the positions are not the fixed ones.
    """
    reader = StateReader(state)
    params = {"encoder": _encoder(reader, config.encoder)}
    if reader.has("mask_token"):
        params["decoder"] = _decoder(reader, config)
    reader.check_empty()
    return params


def encoder_params(state: State, *, channels: int, config: ViTConfig) -> Params:
    """Parameters of the encoder in a state dict, whatever decoder is there beside it.

    Its positions are computed from the grid and are no parameters, so they fit pictures of any
    size; what the state dict holds is only compared with those of its own square pictures.

    Args:
        state: as for `mae_params`.
        channels: of the pictures that it was trained on.
        config: the encoder that is to take them; `image_size` and `channels` do not matter.

    Raises:
        InputError: as `mae_params` does.
    """
    kept = {name: array for name, array in state.items() if not _DECODER.match(original_name(name))}
    reader = StateReader(kept)
    side = reader.square_side("pos_embed")
    size = tuple(side * length for length in config.patch_size)
    encoder = _encoder(reader, dataclasses.replace(config, image_size=size, channels=channels))
    reader.check_empty()
    return encoder


def _encoder(reader: StateReader, config: ViTConfig) -> Params:
    width = config.width
    kernel = reader.take("patch_embed.proj.weight", (width, config.channels, *config.patch_size))
    params = {
        "patch_projection": {
            "kernel": kernel.transpose(2, 3, 1, 0).reshape(-1, width),
            "bias": reader.take("patch_embed.proj.bias", (width,)),
        },
        "cls_token": reader.take("cls_token", (1, 1, width)),
        "blocks": reader.blocks("blocks", config.depth, width, config.mlp_ratio),
        "norm": reader.norm("norm", width),
    }
    reader.check_positions("pos_embed", config.grid, width)
    return params


def _decoder(reader: StateReader, config: MAEConfig) -> Params:
    width, encoder = config.decoder_width, config.encoder
    reader.check_positions("decoder_pos_embed", encoder.grid, width)
    return {
        "embed": reader.linear("decoder_embed", encoder.width, width),
        "mask_token": reader.take("mask_token", (1, 1, width)),
        "blocks": reader.blocks("decoder_blocks", config.decoder_depth, width, encoder.mlp_ratio),
        "norm": reader.norm("decoder_norm", width),
        "prediction": reader.linear("decoder_pred", width, encoder.values_per_patch),
    }
