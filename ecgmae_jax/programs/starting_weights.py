"""What a pre-training begins with: new parameters, or an encoder that is trained already."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import optax

from ecgmae_jax.errors import InputError
from ecgmae_jax.interop.hf_vit_mae import encoder_params
from ecgmae_jax.interop.other_pictures import Standardisation, restandardised
from ecgmae_jax.interop.weight_files import read_weights
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import encoders
from ecgmae_jax.training.state import InitParams, TrainState, initial_state, state_of


def read_encoder(
    start: Mapping[str, Any], config: ViTConfig, *, specification: Mapping[str, Any]
) -> Params | None:
    """The encoder that `config.start` names, for pictures of this specification; None for none.

    Args:
        start: `weights`, a `.safetensors` file of a masked autoencoder or the workdir of a
            pre-training, and `mean` and `std` of the pictures that the file's encoder knows.
        config: the encoder that is to take them.
        specification: of its input, see `inputs.input_specification`.

    Raises:
        InputError: there are no such weights, or they do not fit.
    """
    if not start["weights"]:
        return None
    path = pathlib.Path(start["weights"]).expanduser()
    after = Standardisation(specification["mean"], specification["std"])
    if not path.is_dir():
        before = Standardisation(start["mean"], start["std"])
        found = encoder_params(read_weights(path), channels=len(before.mean), config=config)
        return restandardised(found, before=before, after=after)
    known = encoders.load_pretrained(path, which="last")
    same = dataclasses.replace(
        known.config.encoder, image_size=config.image_size, channels=config.channels
    )
    if same != config:
        raise InputError(
            f"the encoder of {path} is {same} and config.model asks for {config}; make patch, "
            "width, depth and heads those of the encoder"
        )
    before = Standardisation(known.specification["mean"], known.specification["std"])
    return restandardised(known.params["encoder"], before=before, after=after)


def make_first_state(
    new_params: InitParams,
    optimizer: optax.GradientTransformation,
    *,
    encoder: Params | None,
    seed: int,
) -> Callable[[TrainState], TrainState]:
    """From places and shapes to the state that training starts from.

    Args:
        new_params: of the masked autoencoder.
        optimizer: of the run.
        encoder: trained already; None for a new one. The decoder is new in either case.
        seed: of what is new.
    """

    def first_state(like: TrainState) -> TrainState:
        key = jax.random.key(seed)
        if encoder is None:
            return initial_state(new_params, optimizer, key=key, like=like)
        params = jax.jit(new_params)(key) | {"encoder": encoder}
        return state_of(params, optimizer, like=like)

    return first_state
