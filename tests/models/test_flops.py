import pytest

from ecgmae_jax.models.flops import decoder_flops, encoder_flops, mae_train_flops
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig


# Giga-operations of ViT-B/16 with the 8x512 decoder: encoder, decoder, training; by hand.
@pytest.mark.parametrize(
    ("image_size", "encoder", "decoder", "training"),
    [
        ((224, 224), 8.8, 10.7, 58.7),
        ((256, 512), 23.1, 30.6, 161),
        ((384, 768), 53.5, 81.0, 403),
        ((512, 1024), 99.3, 173.9, 820),
    ],
)
def test_operations_agree_with_the_hand_count(image_size, encoder, decoder, training):
    config = MAEConfig(ViTConfig(image_size))
    found = encoder_flops(config.encoder, num_patches=config.num_visible)
    assert found / 1e9 == pytest.approx(encoder, rel=0.02)
    assert decoder_flops(config) / 1e9 == pytest.approx(decoder, rel=0.01)
    assert mae_train_flops(config) / 1e9 == pytest.approx(training, rel=0.02)


def test_the_whole_image_costs_what_is_published_for_vit_b():
    # 17.58 billion multiply-adds, as classification libraries print it.
    operations = encoder_flops(ViTConfig(), num_patches=196)
    assert operations / 2e9 == pytest.approx(17.58, rel=0.002)
