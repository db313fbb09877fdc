r"""Embeddings of every picture of a dataset, by a pre-trained encoder and by three baselines.

    python main.py --config=configs/embed.py --workdir=runs/ptbxl/embed \
        --config.checkpoint=runs/ptbxl --config.data.data_dir=<out>
    python main.py --config=configs/embed.py:demo --workdir=runs/demo/embed

Writes embeddings.parquet (MAE), embeddings_random.parquet (the same encoder, never trained),
embeddings_convolutions.parquet (random filters, averaged by region) and embeddings_pca.parquet
(principal components of raw pixels, fitted on the first split alone), from one pass over the
pictures. For the attentive probe add the encoder's tokens, averaged over a grid of regions:

    --config.further_poolings="('regional-12x16',)"
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
    # Or "cls", "both" one after the other, "mean+std", or "regional-4x4": means by region.
    config.pooling = "mean"
    # More poolings of the same tokens, each with files of its own.
    config.further_poolings = ()
    config.baselines = ("random", "convolutions", "PCA")
    config.convolutions = {"filters": 192, "size": 9, "stride": 2, "regions": (4, 4)}
    config.pca = {"components": 256, "downscale": 2, "max_pictures": 5_000}
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    {"ptb_xl": lambda _: None, "demo": _demo}[variant](config)
    return config


def _demo(config: ml_collections.ConfigDict) -> None:
    config.checkpoint = "runs/demo/pretrain"
    config.data = common.demo_dataset()
    config.splits = ("train", "validation", "test")
    # Random convolutions would take as long as all the rest.
    config.baselines = ("random", "PCA")
