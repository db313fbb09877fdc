r"""Fine-tuning of a pre-trained encoder, after He et al. 2022, table 9 (ViT-B: 100 epochs).

    python main.py --config=configs/finetune.py --workdir=runs/ptbxl/finetune \
        --config.checkpoint=runs/ptbxl --config.data.data_dir=<out> --config.label=superclass
    python main.py --config=configs/finetune.py:demo --workdir=runs/demo/finetune

The best state is chosen on the validation split and judged once on the test splits.

Variants (--config=configs/finetune.py:<variant>):
    ptb_xl     ViT-B/16, PTB-XL's superclasses, augmentation that keeps mm/s and mm/mV (default)
    reference  the published augmentation: crops, flips, RandAugment, erasing, mixing; for a
               checkpoint of pretrain.py:square224
    demo       the small encoder on the simulated conditions, a minute on two cores
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "finetune"
    config.seed = 0
    config.checkpoint = "runs/ptbxl"
    config.which = "last"  # or "best", by validation loss
    config.data = common.ptb_xl_dataset()
    config.splits = {"train": "train", "validation": "validation", "test": ("test",)}
    config.label = "superclass"
    config.class_weights = "none"  # or "balanced"
    config.epochs = 100.0
    config.warmup_epochs = 5.0
    config.accumulate = 1
    config.loader = {"batch_size": 256, "workers": 8}
    # A flip turns time round, a crop changes the gain, CutMix pastes another patient's leads.
    config.augment = {
        "random_shift": {"max_px": 16},
        "rand_augment": {"policy": "ecg_safe", "fill": 255},
    }
    config.mixing = {"probability": 0.0, "cutmix_probability": 0.0}
    config.label_smoothing = 0.1
    config.drop_path = 0.1
    config.optimizer = {
        "base_lr": 5e-4,
        "final_lr": 1e-6,
        "b1": 0.9,
        "b2": 0.999,
        "weight_decay": 0.05,
        "layer_decay": 0.65,
    }
    config.compute = {"dtype": "auto", "attention": "xla", "remat": False, "unroll": False}
    config.mesh = {"data": -1, "fsdp": 1}
    config.every = {"log": 20, "evaluate": 200, "checkpoint": 200}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    {"ptb_xl": lambda _: None, "reference": _reference, "demo": _demo}[variant](config)
    return config


def _reference(config: ml_collections.ConfigDict) -> None:
    config.loader.batch_size = 1024
    config.augment = {
        "random_resized_crop": {"size": (224, 224), "scale": (0.08, 1.0)},
        "horizontal_flip": {"probability": 0.5},
        "rand_augment": {"policy": "reference"},
        "random_erasing": {"probability": 0.25, "mean": 0.87, "std": 0.10},
    }
    config.mixing = {"probability": 1.0, "cutmix_probability": 0.5}


def _demo(config: ml_collections.ConfigDict) -> None:
    config.checkpoint = "runs/demo/pretrain"
    config.data = common.demo_dataset()
    config.label = "condition"
    config.epochs = 2.0
    config.warmup_epochs = 0.5
    config.loader = {"batch_size": 32, "workers": 0}
    config.augment = {"random_shift": {"max_px": 8}}
    config.optimizer.update({"base_lr": 8e-3, "layer_decay": 0.75})
    config.compute.unroll = True
    config.every = {"log": 10, "evaluate": 20, "checkpoint": 20}
