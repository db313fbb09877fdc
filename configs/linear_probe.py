"""Linear probe of frozen embeddings, with the rows every encoder has to beat.

    python main.py --config=configs/embed.py --workdir=runs/ptbxl/embed
    python main.py --config=configs/linear_probe.py --workdir=runs/ptbxl/linear_probe

L2 logistic regression on standardised features, C by patient-grouped cross-validation; AUROC and
AUPRC with intervals from resampled patients, paired between rows. A frozen random encoder and raw
pixels are rows because both come close to trained encoders on some tasks (Berger et al. 2026,
arXiv:2602.17531). Seconds on two cores.

Variants (--config=configs/linear_probe.py:<variant>):
    ptb_xl  the five superclasses of PTB-XL: folds 1-8, tested on fold 10 (default)
    fold9   the same tested on fold 9, which leaves fold 10 unseen while choices are made
    demo    the conditions of the simulated recordings

Other embeddings:  --config.rows.MAE=<file>;  other labels:  --config.labels="('rhythm','form')"
"""

import ml_collections


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "linear_probe"
    config.seed = 0
    config.rows = _rows("runs/ptbxl/embed")
    # The rows of the report; the others are compared with the first.
    config.order = ("MAE", "random", "PCA")
    config.labels = ("superclass",)
    config.splits = {"train": ("train",), "test": ("test",)}
    # How several pictures of one record become one row: mean or max of their embeddings.
    config.aggregation = "mean"
    config.probe = {"grid": tuple(10.0**power for power in range(-6, 2)), "folds": 5}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    {"ptb_xl": _ptb_xl, "fold9": _fold9, "demo": _demo}[variant](config)
    return config


def _rows(folder: str) -> dict[str, str]:
    return {
        "MAE": f"{folder}/embeddings.parquet",
        "random": f"{folder}/embeddings_random.parquet",
        "PCA": f"{folder}/embeddings_pca.parquet",
    }


def _ptb_xl(config: ml_collections.ConfigDict) -> None:
    del config


def _fold9(config: ml_collections.ConfigDict) -> None:
    config.splits.test = ("validation",)


def _demo(config: ml_collections.ConfigDict) -> None:
    config.rows = _rows("runs/demo/embed")
    config.labels = ("condition",)
