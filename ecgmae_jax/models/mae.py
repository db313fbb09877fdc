"""The masked autoencoder of He et al. 2022 (CVPR) and its loss."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Float32, PRNGKeyArray

from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.layers import Linear, make_layer_norm, xavier_uniform
from ecgmae_jax.models.masking import Mask, num_visible, random_mask
from ecgmae_jax.models.patches import patchify
from ecgmae_jax.models.positions import sincos_2d, with_cls_position
from ecgmae_jax.models.stack import make_blocks, run_blocks
from ecgmae_jax.models.vit import Encoder, ViTConfig, check_width


@dataclasses.dataclass(frozen=True)
class MAEConfig:
    """A masked autoencoder; the published recipe unless told otherwise.

    Attributes:
        encoder: what it sees.
        decoder_width: width of the decoder's tokens.
        decoder_depth: its blocks.
        decoder_heads: its attention heads.
        mask_ratio: share of the patches that is hidden, rounded so that more are.
        norm_pix: whether each patch is to be predicted standardised by its own mean and variance.
        norm_pix_eps: added to that variance. Where patches are nearly blank, as on paper, the
            published 1e-6 asks for the noise; a floor near the noise's own variance does not.
    """

    encoder: ViTConfig = dataclasses.field(default_factory=ViTConfig)
    decoder_width: int = 512
    decoder_depth: int = 8
    decoder_heads: int = 16
    mask_ratio: float = 0.75
    norm_pix: bool = True
    norm_pix_eps: float = 1e-6

    def __post_init__(self):
        check_width(self.decoder_width, heads=self.decoder_heads, name="decoder_width")
        num_visible(self.encoder.num_patches, ratio=self.mask_ratio)

    @property
    def num_visible(self) -> int:
        """Patches the encoder sees."""
        return num_visible(self.encoder.num_patches, ratio=self.mask_ratio)


class Decoder(nnx.Module):
    """Predicts every patch from the encoded visible ones."""

    def __init__(self, config: MAEConfig, *, key: PRNGKeyArray, compute: Compute):
        linear_key, token_key, blocks_key = jax.random.split(key, 3)
        width, encoder = config.decoder_width, config.encoder
        shapes = (encoder.width, width), (width, encoder.values_per_patch)
        embed, prediction = xavier_uniform(linear_key, *shapes)
        self.embed = Linear(embed, compute=compute)
        self.mask_token = nnx.Param(0.02 * jax.random.normal(token_key, (1, 1, width)))
        self.blocks = make_blocks(
            width=width,
            depth=config.decoder_depth,
            heads=config.decoder_heads,
            mlp_ratio=encoder.mlp_ratio,
            key=blocks_key,
            compute=compute,
        )
        self.norm = make_layer_norm(width)
        self.prediction = Linear(prediction, compute=compute)
        self.config = config
        self.compute = compute

    def __call__(self, tokens: Float[Array, "b s d"], mask: Mask) -> Float32[Array, "b n p"]:
        """The predicted patches, visible ones included, in image order."""
        tokens = self.embed(tokens).astype(jnp.float32)
        num_hidden = mask.restore.shape[1] - mask.visible.shape[1]
        mask_tokens = jnp.broadcast_to(
            self.mask_token[...], (len(tokens), num_hidden, tokens.shape[-1])
        )
        patches = jnp.concatenate([tokens[:, 1:], mask_tokens], axis=1)
        patches = jnp.take_along_axis(patches, mask.restore[..., None], axis=1)
        tokens = jnp.concatenate([tokens[:, :1], patches], axis=1)
        positions = sincos_2d(self.config.encoder.grid, width=self.config.decoder_width)
        tokens = tokens + with_cls_position(positions)[None]
        tokens = self.norm(run_blocks(self.blocks, tokens, compute=self.compute))
        return self.prediction(tokens)[:, 1:].astype(jnp.float32)


class MAE(nnx.Module):
    """Encoder of the visible patches and decoder of all of them."""

    def __init__(self, config: MAEConfig, *, key: PRNGKeyArray, compute: Compute = PLAIN):
        encoder_key, decoder_key = jax.random.split(key)
        self.encoder = Encoder(config.encoder, key=encoder_key, compute=compute)
        self.decoder = Decoder(config, key=decoder_key, compute=compute)
        self.config = config

    def __call__(
        self, images: Float[Array, "b h w c"], *, key: PRNGKeyArray
    ) -> tuple[Float32[Array, "b n p"], Mask]:
        """The predicted patches under a mask drawn from `key`, and that mask."""
        mask = random_mask(
            key,
            batch=len(images),
            num_patches=self.config.encoder.num_patches,
            ratio=self.config.mask_ratio,
        )
        return self.predict(images, mask), mask

    def predict(self, images: Float[Array, "b h w c"], mask: Mask) -> Float32[Array, "b n p"]:
        """The predicted patches under a given mask: standardised ones if `norm_pix`."""
        # The names under which a profile finds them.
        with jax.named_scope("encoder"):
            tokens = self.encoder(images, mask.visible)
        with jax.named_scope("decoder"):
            return self.decoder(tokens, mask)


def reconstruction_target(
    pictures: Float[Array, "b h w c"], *, config: MAEConfig
) -> Float32[Array, "b n p"]:
    """The patches a model is to predict: those of its input, or of another picture of its size."""
    patches = patchify(pictures, patch_size=config.encoder.patch_size).astype(jnp.float32)
    if not config.norm_pix:
        return patches
    mean, variance = patch_statistics(patches)
    return (patches - mean) / jnp.sqrt(variance + config.norm_pix_eps)


def patch_statistics(
    patches: Float32[Array, "b n p"],
) -> tuple[Float32[Array, "b n 1"], Float32[Array, "b n 1"]]:
    """Mean and unbiased variance of each patch over pixels and channels."""
    mean = jnp.mean(patches, axis=-1, keepdims=True)
    return mean, jnp.var(patches, axis=-1, keepdims=True, ddof=1)


def reconstruction_loss(
    prediction: Float32[Array, "b n p"],
    target: Float32[Array, "b n p"],
    hidden: Float32[Array, "b n"],
) -> Float32[Array, ""]:
    """Mean squared error over the hidden patches of the whole batch."""
    errors = jnp.mean(jnp.square(prediction - target), axis=-1)
    return jnp.sum(errors * hidden) / jnp.sum(hidden)


def mae_loss(
    model: MAE,
    images: Float[Array, "b h w c"],
    *,
    key: PRNGKeyArray,
    predicted: Float[Array, "b h w c"] | None = None,
) -> tuple[Float32[Array, ""], dict[str, Float32[Array, ""]]]:
    """The training loss under a random mask, and what to hold it against.

    The pictures to predict are `images` themselves or, if given, those of `predicted`.

    `null_loss` is the loss of predicting zero everywhere on the same hidden patches: each patch's
    own mean if `norm_pix`, the mean of the pixels' standardisation otherwise. A loss says
    something only below it, and it depends on `norm_pix_eps`.
    """
    prediction, mask = model(images, key=key)
    target = reconstruction_target(images if predicted is None else predicted, config=model.config)
    null_loss = reconstruction_loss(jnp.zeros_like(target), target, mask.hidden)
    return reconstruction_loss(prediction, target, mask.hidden), {"null_loss": null_loss}
