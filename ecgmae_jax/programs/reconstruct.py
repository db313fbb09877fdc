"""Shows what a pre-trained autoencoder makes of sheets it sees a quarter of."""

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.panels import side_by_side
from ecgmae_jax.models.functional import bind, model_graph
from ecgmae_jax.models.mae import (
    MAE,
    MAEConfig,
    patch_statistics,
    reconstruction_loss,
    reconstruction_target,
)
from ecgmae_jax.models.masking import Mask, random_mask
from ecgmae_jax.models.patches import patchify, unpatchify
from ecgmae_jax.programs import encoders, inputs, workdirs

_GREY = 0.6  # of full scale, where the encoder sees nothing


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `reconstructions.png`, one row per sheet, and the mask's key in `config.json`."""
    pretrained = encoders.load_pretrained(config.checkpoint, which=config.which)
    dataset = open_dataset(**config.data, split=config.split)
    inputs.check_input(dataset, pretrained.specification)
    if not 1 <= config.num_pictures <= len(dataset):
        raise InputError(
            f"config.num_pictures is {config.num_pictures}; split {config.split!r} has "
            f"{len(dataset)} pictures"
        )
    workdirs.open_workdir(workdir, config, data={dataset.name: dataset.fingerprint})
    batch = next(
        iter(
            encoders.eval_batches(dataset, pretrained.specification, batch_size=config.num_pictures)
        )
    )
    columns, loss = reconstructions(pretrained, batch["image"], seed=config.seed)
    visible = pretrained.config.num_visible / pretrained.config.encoder.num_patches
    footnote = (
        f"{dataset.name}/{dataset.config} {config.split}, checkpoint {pretrained.fingerprint}, "
        f"mask seed {config.seed}, {visible:.0%} of the patches visible; mean loss of the "
        f"hidden patches {loss:.3f}."
    )
    path = workdir / "reconstructions.png"
    side_by_side(columns, footnote=footnote).save(path)
    print(path)


def reconstructions(
    pretrained: encoders.Pretrained, images: np.ndarray, *, seed: int
) -> tuple[dict[str, list[np.ndarray]], float]:
    """Caption -> pictures, and the mean loss over the hidden patches.

    With norm-pix the network predicts each patch in units of that patch's own mean and deviation,
    which a hidden patch does not reveal. So the prediction is shown twice: with statistics of the
    visible patches of the same sheet, and with those of the true patch, which leak from the input.
    """
    config = pretrained.config
    pixels = inputs.standardise(jnp.asarray(images), pretrained.specification)
    mask = random_mask(
        jax.random.key(seed),
        batch=len(images),
        num_patches=config.encoder.num_patches,
        ratio=config.mask_ratio,
    )
    make_mae = encoders.mae_maker(config, encoders.make_compute(dtype="auto"))
    model: MAE = bind(model_graph(make_mae), pretrained.params)
    prediction = jax.jit(model.predict)(pixels, mask)
    patches = patchify(pixels, patch_size=config.encoder.patch_size)
    mean, variance = patch_statistics(patches)
    deviation = jnp.sqrt(variance + config.norm_pix_eps)
    target = reconstruction_target(pixels, config=config)
    loss = float(reconstruction_loss(prediction, target, mask.hidden))

    shown = {"input": patches, "what the encoder sees": None}
    if config.norm_pix:
        shown["prediction, mean and contrast of hidden\npatches taken from the visible ones"] = (
            prediction * _visible_mean(deviation, mask) + _visible_mean(mean, mask)
        )
        shown["prediction, mean and contrast of hidden\npatches taken from the input (leaks)"] = (
            prediction * deviation + mean
        )
    else:
        shown["prediction"] = prediction
    columns = {
        caption: list(_picture(values, patches, mask, config, pretrained.specification))
        for caption, values in shown.items()
    }
    return columns, loss


def _visible_mean(values: jax.Array, mask: Mask) -> jax.Array:
    weight = 1 - mask.hidden[..., None]
    return jnp.sum(values * weight, axis=1, keepdims=True) / jnp.sum(weight, 1, keepdims=True)


def _picture(
    values: jax.Array | None,
    patches: jax.Array,
    mask: Mask,
    config: MAEConfig,
    specification: dict[str, Any],
) -> np.ndarray:
    """uint8 pictures with `values` in the hidden patches, grey ones where there are none."""
    mean = jnp.asarray(specification["mean"], jnp.float32).reshape(1, 1, 1, -1)
    std = jnp.asarray(specification["std"], jnp.float32).reshape(1, 1, 1, -1)
    sizes = {
        "image_size": config.encoder.image_size,
        "patch_size": config.encoder.patch_size,
    }
    hidden = unpatchify(mask.hidden[..., None] * jnp.ones_like(patches), **sizes) > 0
    seen = unpatchify(patches, **sizes) * std + mean
    guess = _GREY if values is None else unpatchify(values, **sizes) * std + mean
    pixels = jnp.where(hidden, guess, seen)
    return np.asarray(jnp.clip(jnp.round(pixels * 255), 0, 255).astype(jnp.uint8))
