"""From a config or a checkpoint to an encoder: the programs' common way to their models."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from flax import nnx
from jaxtyping import PRNGKeyArray

from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.pooling import pool_patches
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph
from ecgmae_jax.models.mae import MAE, MAEConfig
from ecgmae_jax.models.vit import Encoder, ViTConfig, pool
from ecgmae_jax.programs import inputs
from ecgmae_jax.programs.checkpoint_meta import other_versions_refused, require_program
from ecgmae_jax.training.checkpoints import load_params

Batch = dict[str, np.ndarray]

# Poolings of the models themselves, which may take the classification token.
_WITH_CLS = ("mean", "cls", "both")


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """A masked autoencoder as a checkpoint holds it, and the inputs it was trained on.

    Attributes:
        specification: of the input, see `inputs.input_specification`.
        target: what it predicts, one of `views.TARGETS`.
        fingerprint: of the parameters.
    """

    config: MAEConfig
    params: Params
    specification: dict[str, Any]
    target: str
    fingerprint: str


def mae_config(model: Mapping[str, Any], specification: Mapping[str, Any]) -> MAEConfig:
    """The autoencoder that `config.model` describes, for inputs of this specification."""
    if len(model["patch"]) != 2:
        raise InputError(f"config.model.patch is {model['patch']}; expected (height, width)")
    encoder = ViTConfig(
        image_size=tuple(specification["image_size"]),
        patch_size=tuple(model["patch"]),
        channels=specification["channels"],
        width=model["width"],
        depth=model["depth"],
        heads=model["heads"],
    )
    return MAEConfig(
        encoder=encoder,
        decoder_width=model["decoder_width"],
        decoder_depth=model["decoder_depth"],
        decoder_heads=model["decoder_heads"],
        mask_ratio=model["mask_ratio"],
        norm_pix=model["norm_pix"],
        norm_pix_eps=model["norm_pix_eps"],
    )


def load_pretrained(workdir: str | pathlib.Path, *, which: str) -> Pretrained:
    """The autoencoder that the pretrain program left in `workdir`.

    Args:
        which: `last` or `best` (lowest validation loss).
    """
    loaded = load_params(pathlib.Path(workdir).expanduser() / "checkpoints", which=which)
    require_program(loaded.meta, "pretrain", workdir=workdir)
    with other_versions_refused(workdir):
        specification = loaded.meta["input"]
        trained_with = loaded.meta["config"]
        return Pretrained(
            config=mae_config(trained_with["model"], specification),
            params=loaded.params,
            specification=specification,
            target=trained_with["target"],
            fingerprint=loaded.fingerprint,
        )


def mae_maker(config: MAEConfig, compute: Compute) -> Callable[[PRNGKeyArray], MAE]:
    """The function that builds the autoencoder from a key."""
    return lambda key: MAE(config, key=key, compute=compute)


def encoder_maker(config: ViTConfig, compute: Compute) -> Callable[[PRNGKeyArray], Encoder]:
    """The function that builds the encoder alone from a key."""
    return lambda key: Encoder(config, key=key, compute=compute)


def random_encoder(config: ViTConfig, *, seed: int) -> Params:
    """Parameters of an encoder that nobody trained."""
    return init_params(encoder_maker(config, Compute()), jax.random.key(seed))


def make_features(
    config: ViTConfig, specification: Mapping[str, Any], *, compute: Compute, pooling: str
) -> Callable[[Params, Any], jax.Array]:
    """A jitted function from encoder parameters and uint8 pictures to features (b, f).

    `pooling` as in `models.vit.pool` or `evaluation.pooling.pool_patches`.
    """
    poolings = make_poolings(config, specification, compute=compute, poolings=(pooling,))
    return lambda params, images: poolings(params, images)[pooling]


def make_poolings(
    config: ViTConfig,
    specification: Mapping[str, Any],
    *,
    compute: Compute,
    poolings: Sequence[str],
) -> Callable[[Params, Any], dict[str, jax.Array]]:
    """As `make_features` for several poolings of the same tokens: pooling -> features (b, f)."""
    graph = model_graph(encoder_maker(config, compute))

    @jax.jit
    def compute_features(params: Params, images: jax.Array) -> dict[str, jax.Array]:
        encoder: nnx.Module = bind(graph, params)
        tokens = encoder(inputs.standardise(images, specification))
        return {
            pooling: pool(tokens, pooling=pooling)
            if pooling in _WITH_CLS
            else pool_patches(tokens[:, 1:], grid=config.grid, pooling=pooling)
            for pooling in poolings
        }

    return compute_features


def eval_batches(
    dataset: Dataset, specification: Mapping[str, Any], *, batch_size: int, **others: Any
) -> Iterator[Batch]:
    """The split's pictures in order, at the model's size; signals are drawn as its pictures were.

    Batches as those of `make_eval_loader`, with `image`.
    """
    if "signal" not in dataset.picture:
        resize = inputs.resizing(dataset.picture, specification)
        yield from make_eval_loader(dataset, batch_size=batch_size, transforms=resize, **others)
        return
    draw = inputs.make_sheet_drawer(dataset.picture["signal"], specification)
    for batch in make_eval_loader(dataset, batch_size=batch_size, keys=("signal",), **others):
        yield {"image": np.asarray(draw(batch.pop("signal")))} | batch


def embed_split(
    dataset: Dataset,
    specification: Mapping[str, Any],
    *,
    functions: Mapping[str, Callable[[np.ndarray], Any]],
    batch_size: int,
) -> dict[str, Any]:
    """Features (n, f) of every picture of a split by each of several functions, in one pass.

    A function that gives a dict of features gives a dict here.
    """
    parts: dict[str, list[Any]] = {name: [] for name in functions}
    for batch in eval_batches(dataset, specification, batch_size=batch_size):
        real = batch["mask"] > 0
        for name, function in functions.items():
            parts[name].append(_rows(function(batch["image"]), real))
    return {
        name: jax.tree.map(lambda *rows: np.concatenate(rows), *found)
        for name, found in parts.items()
    }


def _rows(found: Any, real: np.ndarray) -> Any:
    return jax.tree.map(lambda rows: np.asarray(rows)[real], found)
