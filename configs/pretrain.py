r"""Masked-autoencoder pre-training, after He et al., CVPR 2022 (arXiv:2111.06377), table 8.

    tfds build data_builders/ptb_xl --manual_dir=<ptb-xl folder> --data_dir=<out>
    python main.py --config=configs/pretrain.py --workdir=runs/ptbxl \
        --config.data.name=ptb_xl --config.data.data_dir=<out>

Variants (--config=configs/pretrain.py:<variant>):
    vit_b16    ViT-B/16 on whole 384x512 sheets, 768 tokens (default)
    patch16x8  the same with patches 16 high and 8 wide: 0.17 s a token in place of 0.35 s
    square224  the published 224x224 recipe: 300 epochs, batch 4096, crops and flips
    cpu        a small encoder on 192x256 sheets without a grid, a quarter of an hour on two cores
    demo       a smaller one still, about two minutes on simulated recordings
"""

import ml_collections

from configs import common


def get_config(variant: str = "vit_b16") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "pretrain"
    config.seed = 0
    config.epochs = 300.0
    config.warmup_epochs = 40.0
    config.accumulate = 1
    # Begin with a trained encoder: a .safetensors file under the names of Hugging Face's ViTMAE or
    # of the authors' code, for pictures of this mean and std, or the workdir of a pre-training.
    # With epochs=0 it is kept as it is, for embed, finetune and the others.
    config.start = {"weights": "", "mean": common.IMAGENET_MEAN, "std": common.IMAGENET_STD}
    # "stored" reads the pictures of the dataset; "device" draws its signals inside the train step,
    # anew in every epoch, on config.sheet.
    config.data = common.ptb_xl_dataset() | {"draw": "stored"}
    config.sheet = common.SHEET
    # Drawn sheets: how many random ones are mixed in (layouts, papers, headers, pens), and what a
    # scanner adds: "off", "scan" (its glass) or "photo" (a telephone).
    config.random_sheets = 0
    config.scan = "off"
    # What is predicted: "pixels", or, where the step draws them, "clean" pictures or the "ink".
    config.target = "pixels"
    config.splits = {"train": "train", "validation": "validation"}
    config.loader = {"batch_size": 1024, "workers": 8}
    # Shifts keep mm/s and mm/mV; crops and flips do not, so they stay out of the default.
    config.augment = {"random_shift": {"max_px": 16}}
    config.picture = common.SHEET_STATISTICS
    config.model = common.VIT["b"] | common.mae_decoder() | {"patch": (16, 16)}
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    config.optimizer = {"base_lr": 1.5e-4, "b1": 0.9, "b2": 0.95, "weight_decay": 0.05}
    config.mesh = {"data": -1, "fsdp": 1}
    config.every = {"log": 20, "evaluate": 1_000, "checkpoint": 1_000}
    # Tasks whose linear probe is followed while pre-training goes on; needs labels in the dataset.
    config.probes = ()
    {
        "vit_b16": _vit_b16,
        "patch16x8": _patch16x8,
        "square224": _square224,
        "cpu": _cpu,
        "demo": _demo,
    }[variant](config)
    return config


def _vit_b16(config: ml_collections.ConfigDict) -> None:
    del config


def _patch16x8(config: ml_collections.ConfigDict) -> None:
    config.model.patch = (16, 8)


def _square224(config: ml_collections.ConfigDict) -> None:
    # Mirrors time and rescales mm/s against mm/mV: kept for comparison with published runs only.
    config.augment = {
        "random_resized_crop": {"size": (224, 224)},
        "horizontal_flip": {"probability": 0.5},
    }
    config.loader.batch_size = 4096


def _cpu(config: ml_collections.ConfigDict) -> None:
    config.epochs = 16.0
    config.warmup_epochs = 1.0
    # Drawn without a grid, and only the ink is predicted: a small network spends itself on the
    # grid, and what its encoder tells of a recording then falls with the loss.
    config.data.update({"config": "signal", "draw": "device"})
    config.sheet.update({"height": 192, "width": 256, "style": "blank"})
    config.picture = common.BLANK_STATISTICS
    config.target = "ink"
    config.augment = {}
    config.loader = {"batch_size": 32, "workers": 0}
    config.model.update({"width": 192, "depth": 6, "heads": 3})
    config.model.update({"decoder_width": 128, "decoder_depth": 1, "decoder_heads": 4})
    # Nearly a row high and 0.36 s wide: a patch holds a stretch of one lead, most patches hold
    # ink, and learning starts within 200 steps. With 16x16 it had not after 400.
    config.model.patch = (32, 8)
    # Far below the variance of a patch with ink in it, far above that of an empty one.
    config.model.norm_pix_eps = 0.07
    config.compute.unroll = True
    config.optimizer.base_lr = 8e-3
    config.every = {"log": 20, "evaluate": 147, "checkpoint": 147}
    config.probes = ("superclass",)


def _demo(config: ml_collections.ConfigDict) -> None:
    _cpu(config)
    config.data = common.demo_dataset() | {"draw": "stored"}
    config.picture = common.SHEET_STATISTICS
    config.target = "pixels"
    # A bare grid has a variance of 0.2 where ink has 0.6 to 3.
    config.model.norm_pix_eps = 0.5
    config.epochs = 14.0
    config.warmup_epochs = 1.5
    config.loader.batch_size = 32
    config.optimizer.base_lr = 1.6e-2
    config.model.update({"width": 128, "depth": 4, "heads": 4})
    config.model.update({"decoder_width": 64, "decoder_heads": 4})
    config.probes = ("condition",)
    config.every = {"log": 20, "evaluate": 200, "checkpoint": 200}
