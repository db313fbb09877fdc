"""Linear probe of frozen embeddings, with the rows every encoder has to beat.

    python main.py --config=configs/embed.py --workdir=runs/ptbxl/embed
    python main.py --config=configs/linear_probe.py --workdir=runs/ptbxl/linear_probe

L2 logistic regression on standardised features, C by patient-grouped cross-validation; AUROC and
AUPRC with intervals from resampled patients, paired between rows. A frozen random encoder, random
convolutions, raw pixels and age with sex are rows because they come close to trained encoders on
some tasks (Berger et al. 2026, arXiv:2602.17531).

Variants (--config=configs/linear_probe.py:<variant>):
    ptb_xl  the five superclasses of PTB-XL: folds 1-8, tested on fold 10 (default)
    fold9   the same tested on fold 9, which leaves fold 10 unseen while choices are made
    demo    the conditions of the simulated recordings

Other embeddings:  --config.rows.MAE=<file>;  other labels:  --config.labels="('rhythm','form')"
Numeric outcomes:  --config.outcomes="('age_years',)"  (values by ridge, times to an event by Cox)
Attentive probe:   --config.rows.tokens=<file of a regional pooling>
                   --config.readouts.attentive.rows="('tokens',)"
"""

import ml_collections


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "linear_probe"
    config.seed = 0
    config.rows = _rows("runs/ptbxl/embed")
    # The rows of the report; the others are compared with the first. age+sex is made of the table.
    config.order = ("MAE", "random", "convolutions", "PCA", "age+sex")
    config.labels = ("superclass",)
    config.outcomes = ()
    # Validation records have no part in fitting; their predictions are there to fix thresholds on.
    config.splits = {"train": ("train",), "validation": ("validation",), "test": ("test",)}
    # Go on although test patients were in the pre-training data; every output says so.
    config.allow_overlap = False
    # How several pictures of one record become one row: mean or max of their embeddings.
    config.aggregation = "mean"
    config.probe = {"grid": tuple(10.0**power for power in range(-6, 2)), "folds": 5}
    config.readouts = _readouts()
    # The curve of few labels: shares of the training patients, and random draws of each.
    config.few_shot = {"shares": (0.01, 0.05, 0.1, 1.0), "draws": 3}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    {"ptb_xl": _ptb_xl, "fold9": _fold9, "demo": _demo}[variant](config)
    return config


def _rows(folder: str) -> dict[str, str]:
    return {
        "MAE": f"{folder}/embeddings.parquet",
        "random": f"{folder}/embeddings_random.parquet",
        "convolutions": f"{folder}/embeddings_convolutions.parquet",
        "PCA": f"{folder}/embeddings_pca.parquet",
        "tokens": f"{folder}/embeddings_regional-12x16.parquet",
    }


def _readouts() -> dict:
    """Other ways to read the rows named, with their settings."""
    return {
        # Wu et al. 2018; k and temperature as in Caron et al. 2021.
        "neighbours": {"rows": ("MAE", "random"), "neighbours": 20, "temperature": 0.07},
        # He et al. 2022, table 10: 90 epochs of ImageNet at this batch size.
        "batchnorm": {"rows": (), "steps": 7_020, "batch_size": 16_384},
        "attentive": {
            "rows": (),
            "heads": 8,
            "steps": 2_000,
            "batch_size": 128,
            "peak_rate": 1e-3,
            "weight_decay": 0.1,
        },
    }


def _ptb_xl(config: ml_collections.ConfigDict) -> None:
    del config


def _fold9(config: ml_collections.ConfigDict) -> None:
    config.splits.validation = ()
    config.splits.test = ("validation",)


def _demo(config: ml_collections.ConfigDict) -> None:
    config.rows = _rows("runs/demo/embed")
    config.order = ("MAE", "random", "PCA", "age+sex")
    config.labels = ("condition",)
    config.few_shot.shares = ()
