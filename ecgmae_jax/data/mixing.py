"""Mixup and CutMix on a whole batch, and label smoothing."""

import numpy as np
from jaxtyping import Float32, UInt8


def mix_batch(
    images: UInt8[np.ndarray, "b h w c"],
    labels: Float32[np.ndarray, "b k"],
    *,
    seed: int,
    step: int,
    mixup_alpha: float = 0.8,
    cutmix_alpha: float = 1.0,
    probability: float = 1.0,
    cutmix_probability: float = 0.5,
) -> tuple[UInt8[np.ndarray, "b h w c"], Float32[np.ndarray, "b k"]]:
    """The batch with each example mixed with its opposite (first with last) by one method.

    Mixup (Zhang et al. 2018) or CutMix (Yun et al. 2019) is drawn once per batch, from `seed` and
    `step` alone. Labels are mixed in the share in which pixels are; unknown (NaN) stays unknown.
    CutMix on sheets pastes leads of one patient into another's.
    """
    rng = np.random.default_rng((seed, step))
    is_mixed, is_cutmix = rng.random() < probability, rng.random() < cutmix_probability
    if not is_mixed:
        return images, labels
    if is_cutmix:
        return cutmix(images, labels, share=rng.beta(cutmix_alpha, cutmix_alpha), rng=rng)
    return mixup(images, labels, share=rng.beta(mixup_alpha, mixup_alpha))


def mixup(
    images: UInt8[np.ndarray, "b h w c"], labels: Float32[np.ndarray, "b k"], *, share: float
) -> tuple[UInt8[np.ndarray, "b h w c"], Float32[np.ndarray, "b k"]]:
    """The weighted mean of the batch, weight `share`, and its reverse, pixels rounded."""
    pixels = np.float32(share) * images + np.float32(1 - share) * images[::-1]
    return pixels.round().astype(np.uint8), _mix_labels(labels, share)


def cutmix(
    images: UInt8[np.ndarray, "b h w c"],
    labels: Float32[np.ndarray, "b k"],
    *,
    share: float,
    rng: np.random.Generator,
) -> tuple[UInt8[np.ndarray, "b h w c"], Float32[np.ndarray, "b k"]]:
    """The batch with one rectangle, about `1 - share` of the area, taken from its reverse.

    The rectangle's centre is uniform over the picture; labels go by the area that lies inside.
    """
    height, width = images.shape[1:3]
    top, bottom = _cut(height, (1 - share) ** 0.5, rng)
    left, right = _cut(width, (1 - share) ** 0.5, rng)
    mixed = images.copy()
    mixed[:, top:bottom, left:right] = images[::-1, top:bottom, left:right]
    return mixed, _mix_labels(labels, 1 - (bottom - top) * (right - left) / (height * width))


def smooth_labels(
    labels: Float32[np.ndarray, "b k"], *, smoothing: float, exclusive: bool
) -> Float32[np.ndarray, "b k"]:
    """Labels drawn towards the uniform distribution by `smoothing` (Szegedy et al. 2016).

    Uniform is 1 / k for classes of which one holds, and 1 / 2 for classes that hold or not.
    """
    uniform = 1 / labels.shape[-1] if exclusive else 0.5
    return (labels * (1 - smoothing) + smoothing * uniform).astype(np.float32)


def _mix_labels(labels: Float32[np.ndarray, "b k"], share: float) -> Float32[np.ndarray, "b k"]:
    return (share * labels + (1 - share) * labels[::-1]).astype(np.float32)


def _cut(length: int, fraction: float, rng: np.random.Generator) -> tuple[int, int]:
    half, centre = int(length * fraction) // 2, int(rng.integers(length))
    return max(0, centre - half), min(length, centre + half)
