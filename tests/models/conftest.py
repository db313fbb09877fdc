"""A masked autoencoder written a second time, in plain numpy and one image at a time."""

import functools
import types

import jax
import numpy as np
import pytest
from scipy.special import erf

from ecgmae_jax.models.functional import init_params
from ecgmae_jax.models.mae import MAE, MAEConfig
from ecgmae_jax.models.vit import ViTConfig


def _linear(x, params):
    return x @ params["kernel"] + params["bias"]


def _norm(x, params):
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
    return centred / spread * params["scale"] + params["bias"]


def _attend(x, params, *, heads):
    query, key, value = np.split(_linear(x, params["qkv"]), 3, axis=-1)
    size = x.shape[-1] // heads
    gathered = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:, part].T / np.sqrt(size)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        gathered.append(weights / weights.sum(axis=1, keepdims=True) @ value[:, part])
    return _linear(np.concatenate(gathered, axis=1), params["out"])


def _block(x, params, *, heads):
    x = x + _attend(_norm(x, params["norm1"]), params["attention"], heads=heads)
    hidden = _linear(_norm(x, params["norm2"]), params["mlp"]["hidden"])
    return x + _linear(hidden * (1 + erf(hidden / np.sqrt(2))) / 2, params["mlp"]["out"])


def _blocks(x, params, *, heads, depth):
    for number in range(depth):
        layer = jax.tree.map(lambda stacked, i=number: stacked[i], params)
        x = _block(x, layer, heads=heads)
    return x


def _positions(grid, width):
    table = [np.zeros(width)]
    for row in range(grid[0]):
        for column in range(grid[1]):
            vector = []
            for place in (column, row):
                angles = [place / 10000 ** (k / (width / 4)) for k in range(width // 4)]
                vector += [*np.sin(angles), *np.cos(angles)]
            table.append(np.array(vector))
    return np.stack(table)


def _patches(image, patch_size):
    height, width = patch_size
    return np.stack(
        [
            image[top : top + height, left : left + width].reshape(-1)
            for top in range(0, image.shape[0], height)
            for left in range(0, image.shape[1], width)
        ]
    )


def _encode(params, config, image, visible, *, final_norm=True):
    positions = _positions(config.grid, config.width)
    patches = _linear(_patches(image, config.patch_size), params["patch_projection"])
    tokens = np.stack([patches[i] + positions[1 + i] for i in visible])
    tokens = np.concatenate([params["cls_token"][0] + positions[:1], tokens])
    tokens = _blocks(tokens, params["blocks"], heads=config.heads, depth=config.depth)
    return _norm(tokens, params["norm"]) if final_norm else tokens


def _decode(params, config, tokens, visible):
    embedded = _linear(tokens, params["embed"])
    sequence = np.repeat(params["mask_token"][0], 1 + config.encoder.num_patches, axis=0)
    sequence[0] = embedded[0]
    for token, patch in zip(embedded[1:], visible, strict=True):
        sequence[1 + patch] = token
    sequence = sequence + _positions(config.encoder.grid, config.decoder_width)
    sequence = _blocks(
        sequence, params["blocks"], heads=config.decoder_heads, depth=config.decoder_depth
    )
    return _linear(_norm(sequence, params["norm"]), params["prediction"])[1:]


@pytest.fixture(scope="session")
def reference() -> types.SimpleNamespace:
    return types.SimpleNamespace(
        attend=_attend, block=_block, positions=_positions, encode=_encode, decode=_decode
    )


@pytest.fixture(scope="session")
def mae_config() -> MAEConfig:
    """Rectangular image, grid and patch; no two sizes alike."""
    encoder = ViTConfig((12, 40), (4, 8), channels=1, width=24, depth=3, heads=2)
    return MAEConfig(encoder, decoder_width=16, decoder_depth=2, decoder_heads=4, mask_ratio=0.7)


@pytest.fixture(scope="session")
def mae_params(mae_config):
    """Parameters none of which is at its initial 0 or 1, where a mistake could hide."""
    make = functools.partial(MAE, mae_config)
    params = jax.jit(functools.partial(init_params, make))(jax.random.key(0))
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda x: np.asarray(x) + rng.normal(0, 0.2, x.shape).astype(np.float32), params
    )


@pytest.fixture(scope="session")
def images(mae_config):
    shape = (3, *mae_config.encoder.image_size, mae_config.encoder.channels)
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)
