"""Features that no training made: what an encoder has to beat."""

import dataclasses

import numpy as np
from jaxtyping import Float32, UInt8
from sklearn.decomposition import PCA

from ecgmae_jax.errors import InputError

_ROWS_PER_BLOCK = 512


@dataclasses.dataclass(frozen=True, eq=False)
class PixelPca:
    """Principal components of raw pixels in [0, 1], fitted on the training pictures alone.

    Attributes:
        picture: height, width and channels of the pictures it was fitted on.
        downscale: side of the square of pixels that is averaged first.
        components: (d, p) orthonormal rows, largest variance first.
        explained: share of the training pictures' variance in each component.
    """

    picture: tuple[int, int, int]
    downscale: int
    mean: Float32[np.ndarray, " p"]
    components: Float32[np.ndarray, "d p"]
    explained: Float32[np.ndarray, " d"]

    def transform(self, images: UInt8[np.ndarray, "b h w c"]) -> Float32[np.ndarray, "b d"]:
        """The pictures' coordinates along the components, not whitened."""
        if images.shape[1:] != self.picture:
            raise InputError(
                f"pictures are {images.shape[1:]}, the PCA was fitted on {self.picture}; "
                "draw both with the same builder config"
            )
        offset = self.components @ self.mean
        blocks = [
            _flat_pixels(images[i : i + _ROWS_PER_BLOCK], downscale=self.downscale)
            @ self.components.T
            - offset
            for i in range(0, len(images), _ROWS_PER_BLOCK)
        ]
        return np.concatenate(blocks)


def fit_pixel_pca(
    images: UInt8[np.ndarray, "b h w c"],
    *,
    num_components: int,
    seed: int,
    downscale: int = 1,
) -> PixelPca:
    """The leading principal components of `images`, by randomised SVD (Halko et al. 2011).

    Raises:
        InputError: more components than pictures or pixels, or a side not divisible by `downscale`.
    """
    count, height, width, channels = images.shape
    if downscale < 1 or height % downscale or width % downscale:
        raise InputError(
            f"pictures of {height}x{width} px cannot be averaged over squares of {downscale} px; "
            "choose a divisor of both sides"
        )
    num_pixels = height * width * channels // downscale**2
    if not 1 <= num_components <= min(count, num_pixels):
        raise InputError(
            f"{num_components} principal components asked for, at least 1 and at most "
            f"{min(count, num_pixels)} exist with {count} training pictures of {num_pixels} values"
        )
    pixels = np.concatenate(
        [
            _flat_pixels(images[i : i + _ROWS_PER_BLOCK], downscale=downscale)
            for i in range(0, count, _ROWS_PER_BLOCK)
        ]
    )
    pca = PCA(num_components, svd_solver="randomized", random_state=seed, copy=False).fit(pixels)
    return PixelPca(
        picture=(height, width, channels),
        downscale=downscale,
        mean=np.asarray(pca.mean_, np.float32),
        components=np.asarray(pca.components_, np.float32),
        explained=np.asarray(pca.explained_variance_ratio_, np.float32),
    )


def _flat_pixels(
    images: UInt8[np.ndarray, "b h w c"], *, downscale: int
) -> Float32[np.ndarray, "b p"]:
    batch, height, width, channels = images.shape
    squares = images.reshape(
        batch, height // downscale, downscale, width // downscale, downscale, channels
    )
    return squares.mean(axis=(2, 4), dtype=np.float32).reshape(batch, -1) / np.float32(255)
