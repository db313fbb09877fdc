r"""Embeddings of every picture of a dataset, by a pre-trained encoder and by two baselines.

    python main.py --config=configs/embed.py --workdir=runs/ptbxl/embed \
        --config.checkpoint=runs/ptbxl --config.data.data_dir=<out>
    python main.py --config=configs/embed.py:demo --workdir=runs/demo/embed

Writes embeddings.parquet (MAE), embeddings_random.parquet (the same encoder, never trained) and
embeddings_pca.parquet (principal components of raw pixels), all fitted on the first split alone.
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`: ptb_xl or demo."""
    config = ml_collections.ConfigDict()
    config.program = "embed"
    config.seed = 0
    config.checkpoint = "runs/ptbxl"
    config.which = "last"  # or "best", by validation loss
    config.data = common.ptb_xl_dataset()
    config.splits = ("train", "validation", "test")
    config.batch_size = 64
    config.pooling = "mean"  # or "cls", or "both" one after the other
    config.baselines = ("random", "PCA")
    config.pca = {"components": 256, "downscale": 2, "max_pictures": 5_000}
    config.compute = {"dtype": "auto", "attention": "xla", "remat": False, "unroll": False}
    {"ptb_xl": lambda _: None, "demo": _demo}[variant](config)
    return config


def _demo(config: ml_collections.ConfigDict) -> None:
    config.checkpoint = "runs/demo/pretrain"
    config.data = common.demo_dataset()
    config.splits = ("train", "validation", "test")
