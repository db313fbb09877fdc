import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.interop.hf_vit_mae import encoder_params, mae_params
from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.mae import MAE, MAEConfig, reconstruction_loss, reconstruction_target
from ecgmae_jax.models.masking import mask_from_noise
from ecgmae_jax.models.vit import ViTConfig

CONFIG = MAEConfig(
    ViTConfig((32, 32), (8, 8), channels=3, width=24, depth=2, heads=3),
    decoder_width=16,
    decoder_depth=2,
    decoder_heads=2,
)


@pytest.fixture(scope="module")
def ours(golden, weights):
    graph = model_graph(functools.partial(MAE, CONFIG))

    @jax.jit
    def compute(params, images, noise):
        model = bind(graph, params)
        mask = mask_from_noise(noise, ratio=CONFIG.mask_ratio)
        return mask, model.encoder(images, mask.visible), model.predict(images, mask)

    return compute(mae_params(weights, config=CONFIG), golden["images"], golden["noise"])


def test_tokens_and_prediction_agree_with_hugging_face(ours, golden):
    mask, tokens, prediction = ours
    np.testing.assert_array_equal(mask.hidden, golden["hidden"])
    np.testing.assert_allclose(tokens, golden["tokens"], atol=1e-5)
    np.testing.assert_allclose(prediction, golden["prediction"], atol=1e-5)


@pytest.mark.parametrize(("name", "norm_pix"), [("loss_norm_pix", True), ("loss_pixels", False)])
def test_losses_agree_with_hugging_face(ours, golden, name, norm_pix):
    config = dataclasses.replace(CONFIG, norm_pix=norm_pix)
    target = reconstruction_target(jnp.asarray(golden["images"]), config=config)
    loss = reconstruction_loss(ours[2], target, ours[0].hidden)
    np.testing.assert_allclose(loss, golden[name], atol=1e-5)


def test_the_model_takes_these_parameters(weights):
    params = mae_params(weights, config=CONFIG)
    make = functools.partial(MAE, CONFIG)
    shapes = jax.eval_shape(functools.partial(init_params, make), jax.random.key(0))
    assert jax.tree.map(np.shape, params) == jax.tree.map(np.shape, shapes)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype("float32")}


def test_names_of_transformers_5_and_of_the_original_code_mean_the_same(weights):
    expected = mae_params(weights, config=CONFIG)
    for rename in (_name_in_transformers_5, _original_name):
        renamed = {rename(name): array for name, array in weights.items()}
        if rename is _original_name:
            renamed = _fuse_qkv(renamed)
        jax.tree.map(np.testing.assert_array_equal, mae_params(renamed, config=CONFIG), expected)


def test_an_encoder_alone_is_read(weights):
    encoder = {name: array for name, array in weights.items() if name.startswith("vit.")}
    assert mae_params(encoder, config=CONFIG).keys() == {"encoder"}


def test_an_encoder_is_read_for_pictures_of_another_size_and_without_its_decoder(weights):
    expected = mae_params(weights, config=CONFIG)["encoder"]
    wide = dataclasses.replace(CONFIG.encoder, image_size=(64, 96), channels=1)
    found = encoder_params(weights, channels=3, config=wide)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_positions_of_no_square_pictures_are_refused(weights):
    name = "vit.embeddings.position_embeddings"
    oblong = weights | {name: weights[name][:, :-1]}
    with pytest.raises(InputError, match=r"position_embeddings has shape \(1, 16, 24\); expected"):
        encoder_params(oblong, channels=3, config=CONFIG.encoder)
    with pytest.raises(InputError, match="the weights have no pos_embed; give a ViTMAE"):
        encoder_params({}, channels=3, config=CONFIG.encoder)


def test_weights_that_do_not_fit_are_refused(weights):
    deeper = dataclasses.replace(CONFIG, decoder_depth=3)
    with pytest.raises(InputError, match=r"no decoder_blocks\.2\.norm1\.weight"):
        mae_params(weights, config=deeper)
    shallower = dataclasses.replace(CONFIG, decoder_depth=1)
    with pytest.raises(InputError, match=r"16 arrays .* no place .*decoder_layers\.1\."):
        mae_params(weights, config=shallower)
    wider = dataclasses.replace(CONFIG, decoder_width=32)
    with pytest.raises(InputError, match=r"decoder_pos_embed has shape \(1, 17, 16\) .*17, 32"):
        mae_params(weights, config=wider)


def test_other_positions_are_refused(weights):
    name = "vit.embeddings.position_embeddings"
    rows_first = np.roll(weights[name], 12, axis=-1)  # as transformers 5 starts training
    with pytest.raises(InputError, match="pos_embed is not the fixed sine-cosine of a 4x4 grid"):
        mae_params(weights | {name: rows_first}, config=CONFIG)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(weights, value):
    name = "vit.embeddings.cls_token"
    broken = weights[name].copy()
    broken[..., 3] = value
    with pytest.raises(InputError, match=rf"{name} holds NaN or infinity"):
        mae_params(weights | {name: broken}, config=CONFIG)


def test_one_array_under_two_names_is_refused(weights):
    twice = weights | {"cls_token": weights["vit.embeddings.cls_token"]}
    with pytest.raises(InputError, match=r"cls_token, which are one array under two names"):
        mae_params(twice, config=CONFIG)


def _name_in_transformers_5(name):
    for old, new in (
        ("vit.encoder.layer.", "vit.layers."),
        ("attention.attention.query", "attention.q_proj"),
        ("attention.attention.key", "attention.k_proj"),
        ("attention.attention.value", "attention.v_proj"),
        ("attention.output.dense", "attention.o_proj"),
        ("intermediate.dense", "mlp.fc1"),
        ("output.dense", "mlp.fc2"),
    ):
        name = name.replace(old, new)
    return name


def _original_name(name):
    for old, new in (
        ("vit.embeddings.patch_embeddings.projection", "patch_embed.proj"),
        ("vit.embeddings.position_embeddings", "pos_embed"),
        ("vit.embeddings.", ""),
        ("vit.encoder.layer.", "blocks."),
        ("vit.layernorm", "norm"),
        ("decoder.decoder_layers.", "decoder_blocks."),
        ("decoder.", ""),
        ("attention.attention.", "attn."),
        ("attention.output.dense", "attn.proj"),
        ("intermediate.dense", "mlp.fc1"),
        ("output.dense", "mlp.fc2"),
        ("layernorm_before", "norm1"),
        ("layernorm_after", "norm2"),
    ):
        name = name.replace(old, new)
    return name


def _fuse_qkv(state):
    fused = {name: array for name, array in state.items() if not _is_part(name)}
    for name in state:
        if ".attn.query." in name:
            parts = [state[name.replace("query", part)] for part in ("query", "key", "value")]
            fused[name.replace("query", "qkv")] = np.concatenate(parts)
    return fused


def _is_part(name):
    return any(f".attn.{part}." in name for part in ("query", "key", "value"))
