"""Makes vit_mae_square.npz: what Hugging Face's ViTMAE computes with random weights.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install torch==2.13.0 "transformers==4.57.6"
    /tmp/golden/bin/python tests/golden/make_vit_mae.py

transformers 5.23 lays fixed positions out rows first, unlike 4.x and the original code, so 4.x is
asked here.
"""

import pathlib

import numpy as np
import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining

CONFIG = ViTMAEConfig(
    image_size=32,
    patch_size=8,
    num_channels=3,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=96,
    decoder_hidden_size=16,
    decoder_num_hidden_layers=2,
    decoder_num_attention_heads=2,
    decoder_intermediate_size=64,
    mask_ratio=0.75,
    # Hugging Face's default is 1e-12; the models were trained with this.
    layer_norm_eps=1e-6,
)


def randomise(model: torch.nn.Module) -> None:
    """Moves every trained parameter away from its start, so that none is without effect."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            spread = 0.3 * torch.randn_like(parameter) / max(parameter.shape[-1], 9) ** 0.5
            parameter.data = 1 + spread if "norm" in name and "weight" in name else 3 * spread


def main() -> None:
    torch.manual_seed(0)
    model = ViTMAEForPreTraining(CONFIG).eval()
    # Its constructor sets the decoder's positions and then overwrites them with zeros.
    model.decoder.initialize_weights(num_patches=16)
    randomise(model)
    images, noise = torch.randn(2, 3, 32, 32), torch.rand(2, 16)
    arrays = {f"weights/{name}": array.numpy() for name, array in model.state_dict().items()}
    arrays |= {"images": images.permute(0, 2, 3, 1).numpy(), "noise": noise.numpy()}
    with torch.no_grad():
        arrays["tokens"] = model.vit(images, noise=noise).last_hidden_state.numpy()
        for name, norm_pix in (("loss_pixels", False), ("loss_norm_pix", True)):
            model.config.norm_pix_loss = norm_pix
            output = model(images, noise=noise)
            arrays[name] = output.loss.numpy()
        arrays |= {"prediction": output.logits.numpy(), "hidden": output.mask.numpy()}
    folder = pathlib.Path(__file__).parent
    np.savez_compressed(folder / "vit_mae_square.npz", **arrays)


if __name__ == "__main__":
    main()
