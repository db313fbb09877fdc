"""What is put on top of an encoder for a task."""

import dataclasses

import jax
from flax import nnx
from jaxtyping import Array, Float, Float32, PRNGKeyArray

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.functional import Params
from ecgmae_jax.models.layers import Linear, make_layer_norm
from ecgmae_jax.models.vit import Encoder, ViTConfig, pool


@dataclasses.dataclass(frozen=True)
class ClassifierConfig:
    """An encoder with a linear classifier, as the published fine-tuning has it.

    Attributes:
        encoder: what it sees and how large it is.
        num_classes: number of scores.
        drop_path: rate of the last block; published are 0.1 for ViT-B, 0.2 for L, 0.3 for H.
    """

    encoder: ViTConfig
    num_classes: int
    drop_path: float = 0.1

    def __post_init__(self):
        if not 0 <= self.drop_path < 1:
            raise InputError(f"drop_path is {self.drop_path}; expected 0 up to below 1")


class Classifier(nnx.Module):
    """Scores from the mean of the patch tokens, through a layer normalisation of its own.

    The encoder's final normalisation is left out and its positions are trained, from the fixed
    ones of whatever grid the images have.
    """

    def __init__(self, config: ClassifierConfig, *, key: PRNGKeyArray, compute: Compute = PLAIN):
        encoder_key, head_key = jax.random.split(key)
        self.encoder = Encoder(
            config.encoder,
            key=encoder_key,
            compute=compute,
            final_norm=False,
            learned_positions=True,
            drop_path=config.drop_path,
        )
        self.norm = make_layer_norm(config.encoder.width)
        # The reference draws from a normal truncated at ±2 in absolute terms, so not truncated.
        kernel = 2e-5 * jax.random.normal(head_key, (config.encoder.width, config.num_classes))
        self.head = Linear(kernel, compute=PLAIN)

    def __call__(
        self, images: Float[Array, "b h w c"], *, key: PRNGKeyArray | None = None
    ) -> Float32[Array, "b k"]:
        """Scores before softmax or sigmoid; with a key, paths are dropped as in training."""
        tokens = self.encoder(images, key=key)
        return self.head(self.norm(pool(tokens, pooling="mean")))


def with_pretrained_encoder(classifier: Params, encoder: Params) -> Params:
    """A classifier's parameters with its encoder's replaced by pre-trained ones.

    The positions stay the classifier's own, so that pre-training on another grid will do; the
    pre-trained final normalisation is dropped.

    Args:
        classifier: parameters of a `Classifier`.
        encoder: parameters of an `Encoder`, such as `params["encoder"]` of an `MAE`.
    """
    kept = {name: part for name, part in encoder.items() if name != "norm"}
    return classifier | {"encoder": kept | {"positions": classifier["encoder"]["positions"]}}
