"""An encoder of one kind of pictures made one of another, without a change to what it computes."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ecgmae_jax.errors import InputError
from ecgmae_jax.models.functional import Params


@dataclasses.dataclass(frozen=True)
class Standardisation:
    """What is taken off each channel of a picture, and by what it is divided then.

    Attributes:
        mean: share of full scale, one a channel.
        std: likewise.
    """

    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self):
        if len(self.mean) != len(self.std) or not self.mean:
            raise InputError(
                f"{len(self.mean)} means and {len(self.std)} deviations; expected one of each a "
                "channel"
            )
        if not np.isfinite(self.mean).all() or not all(0 < one < np.inf for one in self.std):
            raise InputError(f"means {self.mean} and deviations {self.std} are of no picture")


def restandardised(encoder: Params, *, before: Standardisation, after: Standardisation) -> Params:
    """The encoder's parameters for pictures that are standardised otherwise.

    A pixel x was seen as (x - m) / s and comes as y = (x - m') / s', so that the old value is
    (y s' + m' - m) / s: the patch projection's kernel takes s' / s, its bias the rest. An encoder
    of three channels takes pictures of one as if all three showed it, and its kernel is the sum
    over the three. The tokens stay what they were.

    Args:
        encoder: of `models.vit.Encoder`.
        before: of the pictures that it knows.
        after: of those that it is to see; as many channels, or one.

    Raises:
        InputError: numbers of channels between which there is no such way.
    """
    channels, wanted = len(before.mean), len(after.mean)
    projection = encoder["patch_projection"]
    kernel: Float32[np.ndarray, "n d"] = np.asarray(projection["kernel"])
    if wanted not in (1, channels) or len(kernel) % channels:
        raise InputError(
            f"an encoder of {len(kernel)} values a patch and {channels} channels cannot take "
            f"pictures of {wanted}; expected {channels} or 1"
        )
    by_channel = kernel.reshape(-1, channels, kernel.shape[1])
    old_std = np.array(before.std)
    scale = np.broadcast_to(after.std, channels) / old_std
    shift = (np.broadcast_to(after.mean, channels) - np.array(before.mean)) / old_std
    scaled = by_channel * scale[:, None]
    if wanted < channels:
        scaled = scaled.sum(axis=1, keepdims=True)
    bias = np.asarray(projection["bias"]) + np.einsum("ncd,c->d", by_channel, shift)
    adapted = {"kernel": scaled.reshape(-1, kernel.shape[1]), "bias": bias}
    adapted = {name: array.astype(np.float32) for name, array in adapted.items()}
    return {**encoder, "patch_projection": adapted}
