"""Shows what a pre-trained autoencoder makes of sheets it sees a quarter of."""

import pathlib

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.panels import side_by_side
from ecgmae_jax.models.functional import bind, model_graph
from ecgmae_jax.models.mae import (
    MAE,
    patch_statistics,
    reconstruction_loss,
    reconstruction_target,
)
from ecgmae_jax.models.masking import Mask, random_mask
from ecgmae_jax.models.patches import patchify, unpatchify
from ecgmae_jax.programs import encoders, workdirs
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.views import View, views_of_model

_GREY = 0.6  # of full scale, where the encoder sees nothing


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `reconstructions.png`, one row per sheet, and the mask's key in `config.json`."""
    pretrained = encoders.load_pretrained(config.checkpoint, which=config.which)
    dataset = open_dataset(**config.data, split=config.split)
    views = views_of_model(dataset, pretrained.specification, target=pretrained.target)
    if not 1 <= config.num_pictures <= len(dataset):
        raise InputError(
            f"config.num_pictures is {config.num_pictures}; split {config.split!r} has "
            f"{len(dataset)} pictures"
        )
    workdirs.open_workdir(workdir, config, data={dataset.name: dataset.fingerprint})
    batches = make_eval_loader(
        dataset,
        batch_size=config.num_pictures,
        transforms=views.eval_transforms,
        keys=views.keys,
    )
    columns, loss = reconstructions(
        pretrained, jax.jit(views.view)(next(iter(batches))), seed=config.seed
    )
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
    pretrained: encoders.Pretrained, view: View, *, seed: int
) -> tuple[dict[str, list[np.ndarray]], float]:
    """Caption -> pictures, and the mean loss over the hidden patches.

    With norm-pix the network predicts each patch in units of that patch's own mean and deviation,
    which a hidden patch does not reveal. So the prediction is shown twice: with statistics of the
    visible patches of the same sheet, and with those of the true patch, which leak from the input.
    """
    config = pretrained.config
    mask = random_mask(
        jax.random.key(seed),
        batch=len(view.seen),
        num_patches=config.encoder.num_patches,
        ratio=config.mask_ratio,
    )
    make_mae = encoders.mae_maker(config, make_compute(dtype="auto"))
    model: MAE = bind(model_graph(make_mae), pretrained.params)
    prediction = jax.jit(model.predict)(view.seen, mask)
    seen, patches = (patchify(p, patch_size=config.encoder.patch_size) for p in view)
    mean, variance = patch_statistics(patches)
    deviation = jnp.sqrt(variance + config.norm_pix_eps)
    target = reconstruction_target(view.target, config=config)
    loss = float(reconstruction_loss(prediction, target, mask.hidden))

    guesses = {"prediction": prediction}
    if config.norm_pix:
        guesses = {
            "prediction, mean and contrast of hidden\npatches taken from the visible ones": (
                prediction * _visible_mean(deviation, mask) + _visible_mean(mean, mask)
            ),
            "prediction, mean and contrast of hidden\npatches taken from the target (leaks)": (
                prediction * deviation + mean
            ),
        }
    hidden = mask.hidden[..., None] > 0
    nothing = jnp.full_like(seen, jnp.nan)
    columns = {
        "input": _pictures(seen, "pixels", pretrained),
        "what the encoder sees": _pictures(jnp.where(hidden, nothing, seen), "pixels", pretrained),
    }
    if pretrained.target != "pixels":
        caption = f"target: {pretrained.target}"
        columns[caption] = _pictures(patches, pretrained.target, pretrained)
    for caption, guess in guesses.items():
        values = jnp.where(hidden, guess, patches)
        columns[caption] = _pictures(values, pretrained.target, pretrained)
    return columns, loss


def _visible_mean(values: jax.Array, mask: Mask) -> jax.Array:
    weight = 1 - mask.hidden[..., None]
    return jnp.sum(values * weight, axis=1, keepdims=True) / jnp.sum(weight, 1, keepdims=True)


def _pictures(patches: jax.Array, kind: str, pretrained: encoders.Pretrained) -> list[np.ndarray]:
    """uint8 pictures of standardised patches, grey where they are NaN; ink is black on white."""
    encoder, specification = pretrained.config.encoder, pretrained.specification
    values = unpatchify(patches, image_size=encoder.image_size, patch_size=encoder.patch_size)
    mean, std = (
        jnp.asarray(specification[name], jnp.float32).reshape(1, 1, 1, -1)
        for name in ("mean", "std")
    )
    pixels = 1 - values * std if kind == "ink" else values * std + mean
    pixels = jnp.where(jnp.isnan(pixels), _GREY, pixels)
    return list(np.asarray(jnp.clip(jnp.round(pixels * 255), 0, 255).astype(jnp.uint8)))
