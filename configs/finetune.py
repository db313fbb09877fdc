r"""Fine-tuning of a pre-trained encoder, after He et al. 2022, table 9 (ViT-B: 100 epochs).

    python main.py --config=configs/finetune.py --workdir=runs/ptbxl/finetune \
        --config.checkpoint=runs/ptbxl --config.data.data_dir=<out> --config.label=superclass
    python main.py --config=configs/finetune.py:demo --workdir=runs/demo/finetune

    python main.py --config=configs/finetune.py:cohort --config.label=ejection_fraction \
        --config.label_smoothing=0.0 --config.class_weights=none …          # a value, not classes

The best state is chosen on the validation split and judged once on the test splits. With
--config.folds=5 every record is predicted instead, by one of five models that never saw its
patient.

Variants (--config=configs/finetune.py:<variant>):
    ptb_xl     ViT-B/16, PTB-XL's superclasses, augmentation that keeps mm/s and mm/mV (default)
    cohort     a clinic's own scans: five folds by patient, rare outcomes weighted, averaged
               parameters, an end when the validation patients see no more progress
    scanned    trains on PTB-XL's signals, drawn as sheets of many machines and scanned, for a
               model that is to read scans: test it with configs/evaluate.py
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
    # False starts from random parameters instead: what was the pre-training worth?
    config.use_pretrained = True
    # "stored" reads the pictures of the dataset; "device" draws its signals inside the train step,
    # anew in every epoch, on the checkpoint's sheet.
    config.data = common.ptb_xl_dataset() | {"draw": "stored"}
    # Drawn sheets: how many random ones are mixed in (layouts, papers, headers, pens), and what a
    # scanner adds: "off", "scan" (its glass) or "photo" (a telephone).
    config.random_sheets = 0
    config.scan = "off"
    # A validation such as "0.1" is that share of the training patients.
    config.splits = {"train": "train", "validation": "validation", "test": ("test",)}
    # Cross-validation, by patient: so many folds (at least 3) of all of these splits, or the
    # rounds of a file of configs/make_splits.py, such as one site after the other.
    config.folds = 0
    config.splits_file = ""
    # Patients of the pre-training among those tested end the run, or are stated in every output.
    config.allow_overlap = False
    config.label = "superclass"
    config.aggregation = "mean"  # or "max": how the pictures of one record become one prediction
    config.class_weights = "none"  # or "balanced"
    config.focal_gamma = 0.0  # 2 is published; 0 is cross-entropy
    config.epochs = 100.0
    config.warmup_epochs = 5.0
    config.patience = 0  # evaluations in a row without a better one after which it ends
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
    # Above 0 the running mean of the parameters is evaluated, kept and tested in their place.
    config.ema_decay = 0.0
    config.optimizer = {
        "base_lr": 5e-4,
        "final_lr": 1e-6,
        "b1": 0.9,
        "b2": 0.999,
        "weight_decay": 0.05,
        "layer_decay": 0.65,
    }
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    config.mesh = {"data": -1, "fsdp": 1}
    config.every = {"log": 20, "evaluate": 200, "checkpoint": 200}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    {
        "ptb_xl": lambda _: None,
        "cohort": _cohort,
        "scanned": _scanned,
        "reference": _reference,
        "demo": _demo,
    }[variant](config)
    return config


def _cohort(config: ml_collections.ConfigDict) -> None:
    config.data.update({"name": "clinical_cohort", "config": "custom"})
    config.label = "outcome"
    config.folds = 5
    config.class_weights = "balanced"
    config.ema_decay = 0.999
    config.patience = 10
    config.loader = {"batch_size": 64, "workers": 8}
    config.every = {"log": 10, "evaluate": 50, "checkpoint": 50}


def _scanned(config: ml_collections.ConfigDict) -> None:
    config.data.update({"config": "signal", "draw": "device"})
    config.random_sheets = 256
    config.scan = "scan"
    config.augment = {"random_shift": {"max_px": 16}}


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
    config.data.update(common.demo_dataset())
    config.label = "condition"
    config.epochs = 2.0
    config.warmup_epochs = 0.5
    config.loader = {"batch_size": 32, "workers": 0}
    config.augment = {"random_shift": {"max_px": 8}}
    config.optimizer.update({"base_lr": 8e-3, "layer_decay": 0.75})
    config.compute.unroll = True
    config.every = {"log": 10, "evaluate": 20, "checkpoint": 20}
